import { expect, it } from "vitest";
import { partitionOfRegion } from "../../src/aws/partition.ts";

// The partitions and region patterns of the SDK's endpoint rules.
it.each([
  ["us-east-1", "aws"],
  ["mx-central-1", "aws"],
  ["us-gov-west-1", "aws-us-gov"],
  ["cn-north-1", "aws-cn"],
  ["eusc-de-east-1", "aws-eusc"],
  ["us-iso-east-1", "aws-iso"],
  ["us-isob-east-1", "aws-iso-b"],
  ["eu-isoe-west-1", "aws-iso-e"],
  ["us-isof-south-1", "aws-iso-f"],
])("%s is in the partition %s", (region, partition) => expect(partitionOfRegion(region)).toBe(partition));
