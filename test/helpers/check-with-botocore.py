"""Checks Converse requests, a JSON line each, against the service model of botocore: a JSON line of findings for each.

botocore's own validator knows types, required members, unions and least values; patterns, enumerations and greatest
lengths stand in the model and are left to the service, so they are checked here.
"""

import base64
import gzip
import json
import os
import re
import sys

import botocore
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

DATA = os.path.join(os.path.dirname(botocore.__file__), "data", "bedrock-runtime")


def read_model():
    newest = os.path.join(DATA, sorted(os.listdir(DATA))[-1], "service-2.json")
    if os.path.exists(newest):
        with open(newest, encoding="utf-8") as file:
            return ServiceModel(json.load(file), "bedrock-runtime")
    with gzip.open(newest + ".gz") as file:
        return ServiceModel(json.load(file), "bedrock-runtime")


def unpack(value):
    if isinstance(value, list):
        return [unpack(item) for item in value]
    if isinstance(value, dict):
        if list(value) == ["$bytes"]:
            return base64.b64decode(value["$bytes"])
        return {name: unpack(item) for name, item in value.items()}
    return value


def findings(value, shape, path):
    metadata = shape.metadata
    if shape.type_name == "structure" and not getattr(shape, "is_document_type", False):
        for name, member in shape.members.items():
            if isinstance(value, dict) and name in value:
                yield from findings(value[name], member, f"{path}.{name}")
    elif shape.type_name == "list":
        if len(value) > metadata.get("max", len(value)):
            yield f"{path} has {len(value)} members"
        for index, item in enumerate(value):
            yield from findings(item, shape.member, f"{path}[{index}]")
    elif shape.type_name == "string":
        value.encode("utf-8")
        if len(value) > metadata.get("max", len(value)):
            yield f"{path} has {len(value)} characters"
        if "pattern" in metadata and not re.fullmatch(metadata["pattern"], value):
            yield f"{path} is {value!r}, and not {metadata['pattern']}"
        if "enum" in metadata and value not in metadata["enum"]:
            yield f"{path} is {value!r}, and none of {metadata['enum']}"
    elif shape.type_name == "blob":
        if len(value) < metadata.get("min", 0):
            yield f"{path} has {len(value)} bytes"
    elif shape.type_name in ("float", "integer") and value > metadata.get("max", value):
        yield f"{path} is {value}"


def main():
    shape = read_model().operation_model("ConverseStream").input_shape
    validator = ParamValidator()
    for line in sys.stdin:
        request = unpack(json.loads(line))
        report = validator.validate(request, shape)
        found = [report.generate_report()] if report.has_errors() else list(findings(request, shape, "request"))
        print(json.dumps(found))


main()
