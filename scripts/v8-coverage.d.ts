declare module "@bcoe/v8-coverage" {
  /** V8's account of one script. */
  export interface ScriptCov {
    scriptId: string;
    url: string;
    functions: {
      functionName: string;
      isBlockCoverage: boolean;
      ranges: { startOffset: number; endOffset: number; count: number }[];
    }[];
  }

  export function mergeScriptCovs(accounts: readonly ScriptCov[]): ScriptCov | undefined;
}
