/** `bedrock.us-east-1.amazonaws.com`, `bedrock-runtime-fips.us-gov-west-1.amazonaws.com`, `vpce-….bedrock.eu-west-1.vpce.amazonaws.com`. */
const BEDROCK_HOST = /(?:^|\.)bedrock(?:-runtime)?(?:-fips)?\.([a-z]{2,5}(?:-[a-z]+)+-\d{1,2})\./;

/** The region in the host name of a Bedrock endpoint of AWS, VPC endpoints included; undefined for any other host. */
export function regionOfHost(url: string): string | undefined {
  return BEDROCK_HOST.exec(new URL(url).hostname)?.[1];
}
