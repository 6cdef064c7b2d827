import { chatCompletions } from "./clients/chat-completions.ts";
import { describeMatrix } from "./matrix.ts";

describeMatrix(chatCompletions);
