import { messages } from "./clients/messages.ts";
import { describeMatrix } from "./matrix.ts";

describeMatrix(messages);
