import { bedrock } from "./clients/bedrock.ts";
import { describeMatrix } from "./matrix.ts";

describeMatrix(bedrock);
