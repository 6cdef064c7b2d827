import { isRecord } from "../json.ts";
import { AwsError } from "./aws-error.ts";
import { FLAG, list, NOT_EMPTY, object, oneOf, type Shape, TEXT } from "./constraints.ts";

export interface MetricQuery {
  Id: string;
  Label?: string;
  Expression?: string;
  MetricStat?: {
    Metric: {
      Namespace?: string;
      MetricName?: string;
      Dimensions?: readonly { Name: string; Value: string }[];
    };
    /** Seconds. */
    Period: number;
    Stat: string;
  };
}

export interface MetricRequest {
  MetricDataQueries: readonly MetricQuery[];
  /** Times are looked at by who answers. */
  StartTime?: unknown;
  EndTime?: unknown;
  ScanBy?: string;
  NextToken?: string;
}

const NAME: Shape = { kind: "text", min: 1, max: 255 };
const WHOLE: Shape = { kind: "integer", min: 1 };
const SIZES = ["Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes"];
const BITS = ["Bits", "Kilobits", "Megabits", "Gigabits", "Terabits"];
const RATES = [...SIZES, ...BITS, "Count"].map((unit) => `${unit}/Second`);
const UNITS = [
  "Seconds",
  "Microseconds",
  "Milliseconds",
  ...SIZES,
  ...BITS,
  "Percent",
  "Count",
  ...RATES,
  "None",
];

/** GetMetricData in the service model of CloudWatch, as botocore has it. */
const REQUEST = object(
  {
    MetricDataQueries: list(
      object(
        {
          Id: { ...NAME, pattern: /^[a-z][a-zA-Z0-9_]*$/ },
          MetricStat: object(
            {
              Metric: object({
                Namespace: NAME,
                MetricName: NAME,
                Dimensions: list(
                  object({ Name: NAME, Value: { kind: "text", min: 1, max: 1024 } }, "Name", "Value"),
                  { max: 30 },
                ),
              }),
              Period: WHOLE,
              Stat: TEXT,
              Unit: oneOf(...UNITS),
            },
            "Metric",
            "Period",
            "Stat",
          ),
          Expression: { kind: "text", min: 1, max: 2048 },
          Label: TEXT,
          ReturnData: FLAG,
          Period: WHOLE,
          AccountId: NAME,
        },
        "Id",
      ),
      { max: 500 },
    ),
    ScanBy: oneOf("TimestampDescending", "TimestampAscending"),
    MaxDatapoints: { kind: "integer" },
    LabelOptions: object({ Timezone: TEXT }),
    NextToken: NOT_EMPTY,
  },
  "MetricDataQueries",
);

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html */
const STATISTIC =
  /^(?:SampleCount|Average|Sum|Minimum|Maximum|IQM|(?:p|tm|tc|ts|wm)\d+(?:\.\d+)?|(?:PR|TM|TC|TS|WM)\(.+\))$/;

/**
 * Reads the body of GetMetricData. Throws `AwsError` MissingParameter without a query, SerializationException for what is of
 * another type, and ValidationError for what else CloudWatch does not allow, all findings in one message.
 */
export function readMetricRequest(body: unknown): MetricRequest {
  const queries = isRecord(body) ? (body["MetricDataQueries"] ?? []) : [];
  if (Array.isArray(queries) && queries.length === 0)
    throw new AwsError("MissingParameter", required("MetricDataQueries"));
  const findings = findingsIn(body, REQUEST, "");
  // Its shape has been looked at.
  const request = body as MetricRequest;
  if (findings.length === 0) findings.push(...queryFindings(request.MetricDataQueries));
  if (findings.length > 0) throw new AwsError("ValidationError", findings.join("\n"));
  return request;
}

/** In the words of https://github.com/prometheus-community/yet-another-cloudwatch-exporter/issues/385 and https://github.com/aws-solutions/quota-monitor-for-aws/issues/171 */
function queryFindings(queries: readonly MetricQuery[]): string[] {
  const statistics = queries.flatMap(({ MetricStat }, index) =>
    !MetricStat || STATISTIC.test(MetricStat.Stat)
      ? []
      : [
          `The value ${MetricStat.Stat} for parameter MetricDataQueries.member.${index + 1}.MetricStat.Stat is not a valid statistic.`,
        ],
  );
  const ids = new Set(queries.map(({ Id }) => Id));
  return ids.size === queries.length
    ? statistics
    : [...statistics, "The values for parameter id in MetricDataQueries are not unique."];
}

/**
 * In the words of https://github.com/influxdata/telegraf/issues/5420, https://github.com/aws/amazon-cloudwatch-agent/issues/240
 * and https://github.com/micrometer-metrics/micrometer/issues/1645
 */
function findingsIn(value: unknown, shape: Shape, path: string): string[] {
  switch (shape.kind) {
    case "flag":
      if (typeof value !== "boolean") throw wrongType(path);
      return [];
    case "integer":
      if (typeof value !== "number" || !Number.isInteger(value)) throw wrongType(path);
      return shape.min !== undefined && value < shape.min
        ? [`The parameter ${path} must be greater than or equal to ${shape.min}.`]
        : [];
    case "text": {
      const { min = 0, max = Infinity, pattern, values } = shape;
      if (typeof value !== "string") throw wrongType(path);
      if (value.length < min) return [required(path)];
      if (value.length > max) return [`The parameter ${path} must be shorter than ${max + 1} characters.`];
      if (pattern && !pattern.test(value))
        return [
          `The value ${value} for parameter ${path} is not matching the expected pattern ${pattern.source}.`,
        ];
      return values && !values.includes(value)
        ? [`The parameter ${path} must be a value in the set [ ${values.join(", ")} ].`]
        : [];
    }
    case "list": {
      if (!Array.isArray(value)) throw wrongType(path);
      const { max = Infinity } = shape;
      if (value.length > max) return [`The collection ${path} must not have a size greater than ${max}.`];
      return value.flatMap((item: unknown, index) =>
        findingsIn(item, shape.of, `${path}.member.${index + 1}`),
      );
    }
    case "object": {
      if (!isRecord(value)) throw wrongType(path);
      return Object.entries(shape.fields).flatMap(([name, field]) => {
        const place = path === "" ? name : `${path}.${name}`;
        if ((value[name] ?? null) !== null) return findingsIn(value[name], field, place);
        return shape.required?.includes(name) ? [required(place)] : [];
      });
    }
    default:
      return [];
  }
}

function required(path: string): string {
  return `The parameter ${path} is required.`;
}

function wrongType(path: string): AwsError {
  return new AwsError(
    "SerializationException",
    `${path || "The request"} is of another type than it has to be.`,
  );
}
