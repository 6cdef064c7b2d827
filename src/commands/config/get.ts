export async function run(): Promise<void> {
  throw new Error("to be built");
}
