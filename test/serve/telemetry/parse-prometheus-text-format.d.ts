declare module "parse-prometheus-text-format" {
  /** Reads metrics in Prometheus' text format. */
  export default function parse(text: string): object[];
}
