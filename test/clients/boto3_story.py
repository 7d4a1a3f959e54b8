"""edge-kms as Python sees it. Started by boto3.test.ts, which names one of the classes below:

    python3 boto3_story.py http://127.0.0.1:8787 Errors

The server has to have a movable clock, and replicas and new primaries that take a minute.
"""

import datetime
import itertools
import json
import os
import re
import sys
import unittest
import urllib.request

import boto3
from botocore.config import Config
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

URL = sys.argv.pop(1) if len(sys.argv) > 1 else "http://127.0.0.1:8787"
ABSENT_KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"


def move_clock(duration):
    request = urllib.request.Request(
        f"{URL}/_edge-kms/clock",
        json.dumps({"advance": duration}).encode(),
        {"content-type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request) as response:
        now = json.load(response)["now"]
    return datetime.datetime.fromisoformat(now.replace("Z", "+00:00"))


accounts = itertools.count(111122223301)


class Story(unittest.TestCase):
    """Each test has an account of its own."""

    maxDiff = None

    def client(self, region="us-east-1", account=None, **config):
        return boto3.client(
            "kms",
            region_name=region,
            endpoint_url=URL,
            aws_access_key_id=account or self.account,
            aws_secret_access_key="edge-kms",
            config=Config(**config),
        )

    def setUp(self):
        self.account = str(next(accounts))
        self.us = self.client("us-east-1")
        self.eu = self.client("eu-west-1")

    def new_key(self, **members):
        return self.us.create_key(**members)["KeyMetadata"]

    def arn(self, resource, region="us-east-1"):
        return f"arn:aws:kms:{region}:{self.account}:{resource}"

    def key_state(self, client, key_id):
        return client.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]

    def assert_refused(self, exception, message, call, **members):
        """The call raises `exception` with this text, after a single request."""
        client = call.__self__
        sent = []
        client.meta.events.register("before-send.kms", lambda **_: sent.append(1), "count")
        with self.assertRaises(exception) as raised:
            call(**members)
        client.meta.events.unregister("before-send.kms", unique_id="count")
        response = raised.exception.response
        self.assertEqual(response["Error"].get("Message", ""), message)
        self.assertEqual(len(sent), 1)
        metadata = response["ResponseMetadata"]
        self.assertEqual((metadata["HTTPStatusCode"], metadata["RetryAttempts"]), (400, 0))
        self.assertRegex(metadata["RequestId"], r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


class MultiRegion(Story):
    def test_a_set_from_its_creation_to_its_deletion(self):
        us, eu = self.us, self.eu
        primary = self.new_key(MultiRegion=True, Description="Orders")
        key_id = primary["KeyId"]
        self.assertRegex(key_id, r"^mrk-[0-9a-f]{32}$")
        self.assertIsInstance(primary["CreationDate"], datetime.datetime)
        self.assertIsNotNone(primary["CreationDate"].tzinfo)

        before = us.encrypt(KeyId=key_id, Plaintext=b"before")["CiphertextBlob"]
        replica = us.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
        self.assertEqual(replica["ReplicaKeyMetadata"]["KeyState"], "Creating")
        self.assertNotIn("ReplicaTags", replica)
        self.assertEqual(json.loads(replica["ReplicaPolicy"])["Id"], "key-default-1")
        self.assert_refused(
            eu.exceptions.KMSInvalidStateException,
            f"{self.arn(f'key/{key_id}', 'eu-west-1')} is creating.",
            eu.encrypt,
            KeyId=key_id,
            Plaintext=b"early",
        )
        move_clock("PT1M")
        self.assertEqual(self.key_state(eu, key_id), "Enabled")

        opened = eu.decrypt(CiphertextBlob=before)
        self.assertEqual(opened["Plaintext"], b"before")
        self.assertEqual(opened["KeyId"], self.arn(f"key/{key_id}", "eu-west-1"))
        self.assertEqual(opened["KeyMaterialId"], primary["CurrentKeyMaterialId"])

        us.rotate_key_on_demand(KeyId=key_id)
        rotated = move_clock("PT1M")
        (rotation,) = eu.list_key_rotations(KeyId=key_id)["Rotations"]
        self.assertEqual(rotation["RotationType"], "ON_DEMAND")
        self.assertLess(rotation["RotationDate"], rotated)
        after = eu.encrypt(KeyId=key_id, Plaintext=b"after")["CiphertextBlob"]
        self.assertEqual(us.decrypt(CiphertextBlob=after)["Plaintext"], b"after")
        self.assertEqual(us.decrypt(CiphertextBlob=before)["Plaintext"], b"before")

        us.update_primary_region(KeyId=key_id, PrimaryRegion="eu-west-1")
        for client in (us, eu):
            described = client.describe_key(KeyId=key_id)["KeyMetadata"]
            self.assertEqual((described["KeyState"], described["Enabled"]), ("Updating", False))
            self.assertEqual(
                described["MultiRegionConfiguration"]["MultiRegionKeyType"], "REPLICA"
            )
            self.assertEqual(client.decrypt(CiphertextBlob=before)["Plaintext"], b"before")
        self.assert_refused(
            us.exceptions.KMSInvalidStateException,
            f"{primary['Arn']} is updating.",
            us.disable_key,
            KeyId=key_id,
        )
        move_clock("PT1M")
        self.assert_refused(
            us.exceptions.UnsupportedOperationException,
            f"{primary['Arn']} is not a multi-region primary key.",
            us.replicate_key,
            KeyId=key_id,
            ReplicaRegion="ap-south-1",
        )

        scheduled = eu.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
        self.assertEqual(scheduled["KeyState"], "PendingReplicaDeletion")
        self.assertNotIn("DeletionDate", scheduled)
        scheduled = us.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
        week = datetime.timedelta(days=7)
        self.assertLessEqual(scheduled["DeletionDate"], move_clock("PT0S") + week)
        self.assertGreaterEqual(move_clock("P7D"), scheduled["DeletionDate"])
        with self.assertRaises(us.exceptions.NotFoundException):
            us.describe_key(KeyId=key_id)
        self.assertEqual(self.key_state(eu, key_id), "PendingDeletion")
        move_clock("P7D")
        self.assert_refused(
            eu.exceptions.NotFoundException,
            f"Key '{self.arn(f'key/{key_id}', 'eu-west-1')}' does not exist",
            eu.decrypt,
            KeyId=key_id,
            CiphertextBlob=after,
        )


class Envelope(Story):
    def test_objects_are_sealed_as_the_s3_client_does_it_and_opened_in_another_region(self):
        key_id = self.new_key(MultiRegion=True)["KeyId"]
        self.us.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
        move_clock("PT1M")
        content = bytes(range(256)) * 4096

        context = {"kms_cmk_id": key_id, "Größe": "1 MiB"}
        data_key = self.us.generate_data_key(
            KeyId=key_id, KeySpec="AES_256", EncryptionContext=context
        )
        self.assertEqual(len(data_key["Plaintext"]), 32)
        iv = os.urandom(12)
        stored = {
            "x-amz-key-v2": data_key["CiphertextBlob"],
            "x-amz-iv": iv,
            "x-amz-matdesc": json.dumps(context),
            "body": AESGCM(data_key["Plaintext"]).encrypt(iv, content, None),
        }

        def open_in(client, **changed):
            item = {**stored, **changed}
            opened = client.decrypt(
                CiphertextBlob=item["x-amz-key-v2"],
                EncryptionContext=json.loads(item["x-amz-matdesc"]),
            )
            return AESGCM(opened["Plaintext"]).decrypt(item["x-amz-iv"], item["body"], None)

        self.assertEqual(open_in(self.eu), content)
        self.assert_refused(
            self.eu.exceptions.InvalidCiphertextException,
            "",
            self.eu.decrypt,
            CiphertextBlob=stored["x-amz-key-v2"],
            EncryptionContext={**context, "more": ""},
        )

        # The data key moves under another key; the content stays as it is.
        other = self.new_key()
        moved = self.us.re_encrypt(
            CiphertextBlob=stored["x-amz-key-v2"],
            SourceEncryptionContext=context,
            DestinationKeyId=other["Arn"],
            DestinationEncryptionContext={"moved": "yes"},
        )
        self.assertEqual(moved["KeyId"], other["Arn"])
        self.assertEqual(moved["SourceKeyMaterialId"], data_key["KeyMaterialId"])
        sealed_again = {
            "x-amz-key-v2": moved["CiphertextBlob"],
            "x-amz-matdesc": json.dumps({"moved": "yes"}),
        }
        self.assertEqual(open_in(self.us, **sealed_again), content)
        with self.assertRaises(InvalidTag):
            open_in(self.us, body=b"x" + stored["body"][1:])

    def test_blobs_come_back_as_they_went(self):
        key_id = self.new_key()["KeyId"]
        for plaintext in (b"\0", bytes(range(256)), os.urandom(4096)):
            blob = self.us.encrypt(KeyId=key_id, Plaintext=plaintext)["CiphertextBlob"]
            self.assertEqual(self.us.decrypt(CiphertextBlob=blob)["Plaintext"], plaintext)
        sealed = self.us.generate_data_key_without_plaintext(KeyId=key_id, NumberOfBytes=1024)
        self.assertNotIn("Plaintext", sealed)
        opened = self.us.decrypt(CiphertextBlob=sealed["CiphertextBlob"])
        self.assertEqual(len(opened["Plaintext"]), 1024)
        self.assertEqual(len(self.us.generate_random(NumberOfBytes=1024)["Plaintext"]), 1024)


class Errors(Story):
    def test_every_refusal_is_the_exception_that_the_client_has_for_it(self):
        kms, refusals = self.us, self.us.exceptions
        key = self.new_key()
        key_id, arn = key["KeyId"], key["Arn"]
        kms.create_alias(AliasName="alias/taken", TargetKeyId=key_id)
        blob = kms.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]

        self.assert_refused(
            refusals.NotFoundException,
            f"Key '{self.arn(f'key/{ABSENT_KEY}')}' does not exist",
            kms.describe_key,
            KeyId=ABSENT_KEY,
        )
        self.assert_refused(
            refusals.NotFoundException,
            "Invalid keyId 'fake-key-id'",
            kms.enable_key,
            KeyId="fake-key-id",
        )
        self.assert_refused(
            refusals.NotFoundException,
            "Invalid arn eu-west-1",
            kms.describe_key,
            KeyId=arn.replace("us-east-1", "eu-west-1"),
        )
        self.assert_refused(
            refusals.NotFoundException,
            f"Alias {self.arn('alias/none')} is not found.",
            kms.encrypt,
            KeyId="alias/none",
            Plaintext=b"x",
        )
        self.assert_refused(
            refusals.AlreadyExistsException,
            f"An alias with the name {self.arn('alias/taken')} already exists",
            kms.create_alias,
            AliasName="alias/taken",
            TargetKeyId=key_id,
        )
        self.assert_refused(
            refusals.InvalidCiphertextException, "", kms.decrypt, CiphertextBlob=b"no ciphertext"
        )
        self.assert_refused(
            refusals.IncorrectKeyException,
            "The key ID in the request does not identify a CMK that can perform this operation.",
            kms.decrypt,
            CiphertextBlob=blob,
            KeyId=self.new_key()["KeyId"],
        )
        self.assert_refused(
            refusals.InvalidKeyUsageException,
            "Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.",
            kms.encrypt,
            KeyId=key_id,
            Plaintext=b"x",
            EncryptionAlgorithm="RSAES_OAEP_SHA_256",
        )
        self.assert_refused(
            refusals.DryRunOperationException,
            "The request would have succeeded, but the DryRun option is set.",
            kms.decrypt,
            CiphertextBlob=blob,
            DryRun=True,
        )
        self.assert_refused(
            refusals.TagException,
            "Duplicate tag keys",
            kms.tag_resource,
            KeyId=key_id,
            Tags=[{"TagKey": "a", "TagValue": "1"}, {"TagKey": "a", "TagValue": "2"}],
        )
        self.assert_refused(
            refusals.MalformedPolicyDocumentException,
            "The new key policy will not allow you to update the key policy in the future.",
            kms.put_key_policy,
            KeyId=key_id,
            Policy=json.dumps(
                {
                    "Statement": {
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:aws:iam::{self.account}:root"},
                        "Action": "kms:Encrypt",
                        "Resource": "*",
                    }
                }
            ),
        )
        self.assert_refused(
            refusals.UnsupportedOperationException,
            f"{arn} is not a multi-region primary key.",
            kms.replicate_key,
            KeyId=key_id,
            ReplicaRegion="eu-west-1",
        )
        kms.disable_key(KeyId=key_id)
        self.assert_refused(
            refusals.DisabledException, f"{arn} is disabled.", kms.decrypt, CiphertextBlob=blob
        )
        kms.schedule_key_deletion(KeyId=key_id)
        self.assert_refused(
            refusals.KMSInvalidStateException,
            f"{arn} is pending deletion.",
            kms.schedule_key_deletion,
            KeyId=key_id,
        )

    def test_exceptions_without_a_class_come_as_client_errors(self):
        key = self.new_key()
        stranger = self.client(account="999999999999")
        self.assert_refused(
            stranger.exceptions.ClientError,
            "User: arn:aws:iam::999999999999:root is not authorized to perform: kms:DescribeKey "
            "on this resource because the resource does not exist in this Region, no resource-based "
            "policies allow access, or a resource-based policy explicitly denies access",
            stranger.describe_key,
            KeyId=key["Arn"],
        )

    def test_no_retry_mode_repeats_a_refused_request(self):
        for mode in ("legacy", "standard", "adaptive"):
            kms = self.client(retries={"mode": mode, "max_attempts": 5})
            self.assert_refused(
                kms.exceptions.NotFoundException,
                "Invalid keyId 'x'",
                kms.describe_key,
                KeyId="x",
            )


class Validation(Story):
    def setUp(self):
        super().setUp()
        self.us = self.client(parameter_validation=False)

    def assert_invalid(self, message, call, **members):
        self.assert_refused(self.us.exceptions.ClientError, message, call, **members)

    def one_error(self, what):
        return f"1 validation error detected: {what}"

    def test_the_texts_recorded_on_aws(self):
        kms, key_id = self.us, self.new_key()["KeyId"]
        constraint = "failed to satisfy constraint: Member must have"
        for count in (0, 1025):
            bound = "greater than or equal to 1" if count == 0 else "less than or equal to 1024"
            self.assert_invalid(
                self.one_error(f"Value '{count}' at 'numberOfBytes' {constraint} value {bound}"),
                kms.generate_data_key,
                KeyId=key_id,
                NumberOfBytes=count,
            )
        self.assert_invalid(
            self.one_error(f"Value at 'plaintext' {constraint} length less than or equal to 4096"),
            kms.encrypt,
            KeyId=key_id,
            Plaintext=b"x" * 4097,
        )
        self.assert_invalid(
            self.one_error(
                f"Value at 'plaintext' {constraint} length greater than or equal to 1"
            ),
            kms.encrypt,
            KeyId=key_id,
            Plaintext=b"",
        )
        self.assert_invalid(
            self.one_error(
                f"Value '{'a' * 129}' at 'tags.1.member.tagKey' {constraint} length "
                "less than or equal to 128"
            ),
            kms.tag_resource,
            KeyId=key_id,
            Tags=[{"TagKey": "a" * 129, "TagValue": ""}],
        )
        self.assert_invalid(
            self.one_error(
                f"Value '{'b' * 257}' at 'tags.2.member.tagValue' {constraint} length "
                "less than or equal to 256"
            ),
            kms.create_key,
            Tags=[{"TagKey": "a", "TagValue": ""}, {"TagKey": "b", "TagValue": "b" * 257}],
        )
        self.assert_invalid("NumberOfBytes is required.", kms.generate_random)
        self.assert_invalid(
            'Alias must start with the prefix "alias/". Please see '
            "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
            kms.create_alias,
            AliasName="name",
            TargetKeyId=key_id,
        )

    def test_an_unknown_value_is_answered_with_those_there_are(self):
        with self.assertRaises(self.us.exceptions.ClientError) as raised:
            self.us.create_key(KeySpec="AES_256")
        message = raised.exception.response["Error"]["Message"]
        text, values = re.fullmatch(r"(.*: )\[(.*)\]", message).groups()
        self.assertEqual(
            text,
            self.one_error(
                "Value 'AES_256' at 'keySpec' failed to satisfy constraint: "
                "Member must satisfy enum value set: "
            ),
        )
        # Which ones AWS lists, and in what order, has changed over the years.
        self.assertLessEqual({"SYMMETRIC_DEFAULT", "RSA_2048", "HMAC_512"}, set(values.split(", ")))

    def test_what_is_missing_and_several_errors_at_once(self):
        kms = self.us
        self.assert_invalid(
            self.one_error(
                "Value null at 'keyId' failed to satisfy constraint: Member must not be null"
            ),
            kms.describe_key,
        )
        self.assert_invalid(
            self.one_error(
                "Value '1001' at 'limit' failed to satisfy constraint: "
                "Member must have value less than or equal to 1000"
            ),
            kms.list_keys,
            Limit=1001,
        )
        with self.assertRaises(kms.exceptions.ClientError) as raised:
            kms.enable_key_rotation(KeyId="", RotationPeriodInDays=89)
        message = raised.exception.response["Error"]["Message"]
        self.assertTrue(message.startswith("3 validation errors detected: "), message)
        self.assertEqual(
            set(message.removeprefix("3 validation errors detected: ").split("; ")),
            {
                "Value '' at 'keyId' failed to satisfy constraint: "
                "Member must satisfy regular expression pattern: ^\\p{ASCII}+$",
                "Value '' at 'keyId' failed to satisfy constraint: "
                "Member must have length greater than or equal to 1",
                "Value '89' at 'rotationPeriodInDays' failed to satisfy constraint: "
                "Member must have value greater than or equal to 90",
            },
        )

    def test_the_server_ignores_what_a_newer_client_may_send(self):
        request = urllib.request.Request(
            URL,
            json.dumps({"Description": "d", "MemberOfTomorrow": {"a": 1}}).encode(),
            {
                "X-Amz-Target": "TrentService.CreateKey",
                "Content-Type": "application/x-amz-json-1.1",
            },
        )
        with urllib.request.urlopen(request) as response:
            self.assertEqual(json.load(response)["KeyMetadata"]["Description"], "d")


class Paginators(Story):
    def pages(self, operation, key, members, **config):
        paginator = self.us.get_paginator(operation)
        return [page[key] for page in paginator.paginate(PaginationConfig=config, **members)]

    def test_each_list_comes_in_pages_and_whole(self):
        tags = [{"TagKey": f"key {n}", "TagValue": str(n)} for n in range(5)]
        key_id = self.new_key(Tags=tags)["KeyId"]
        ids = sorted([key_id, *(self.new_key()["KeyId"] for _ in range(4))])
        names = sorted(f"alias/zz/{n}" for n in range(5))
        for name in names:
            self.us.create_alias(AliasName=name, TargetKeyId=key_id)
        self.us.rotate_key_on_demand(KeyId=key_id)
        move_clock("PT1M")
        one = {"KeyId": key_id}

        pages = self.pages("list_keys", "Keys", {}, PageSize=2)
        self.assertEqual([len(page) for page in pages], [2, 2, 1])
        self.assertEqual([key["KeyId"] for page in pages for key in page], ids)

        pages = self.pages("list_aliases", "Aliases", one, PageSize=3)
        self.assertEqual([len(page) for page in pages], [3, 2])
        self.assertEqual([alias["AliasName"] for page in pages for alias in page], names)

        pages = self.pages("list_resource_tags", "Tags", one, PageSize=2)
        self.assertEqual([tag for page in pages for tag in page], tags)

        every = {**one, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"}
        pages = self.pages("list_key_rotations", "Rotations", every, PageSize=1)
        self.assertEqual(
            [material["KeyMaterialState"] for page in pages for material in page],
            ["NON_CURRENT", "CURRENT"],
        )
        self.assertEqual(self.pages("list_key_policies", "PolicyNames", one), [["default"]])

        retiring = self.arn("user/Retiring").replace(":kms:us-east-1:", ":iam::")
        for _ in range(5):
            self.us.create_grant(
                KeyId=key_id,
                GranteePrincipal=retiring,
                RetiringPrincipal=retiring,
                Operations=["Encrypt"],
            )
        for operation, members in (
            ("list_grants", one),
            ("list_retirable_grants", {"RetiringPrincipal": retiring}),
        ):
            pages = self.pages(operation, "Grants", members, PageSize=2)
            self.assertEqual([len(page) for page in pages], [2, 2, 1])
            found = {grant["GrantId"] for page in pages for grant in page}
            self.assertEqual(len(found), 5)

    def test_a_list_goes_on_where_it_was_left(self):
        ids = sorted(self.new_key()["KeyId"] for _ in range(4))
        paginator = self.us.get_paginator("list_keys")
        found, token = [], None
        while True:
            config = {"MaxItems": 3, "PageSize": 2, "StartingToken": token}
            part = paginator.paginate(PaginationConfig=config).build_full_result()
            found += [key["KeyId"] for key in part["Keys"]]
            token = part.get("NextToken")
            if token is None:
                break
        self.assertEqual(found, ids)
        self.assert_refused(
            self.us.exceptions.InvalidMarkerException, "", self.us.list_keys, Marker="not a marker"
        )


class Grants(Story):
    def test_from_its_creation_to_its_end(self):
        kms, errors = self.us, self.us.exceptions
        key_id = self.new_key()["KeyId"]
        grantee = f"arn:aws:iam::{self.account}:role/App"
        grant = {
            "KeyId": key_id,
            "GranteePrincipal": grantee,
            "Operations": ["Encrypt", "GenerateDataKey"],
            "Constraints": {"EncryptionContextSubset": {"Department": "IT"}},
            "Name": "app",
        }
        self.assert_refused(
            errors.DryRunOperationException,
            "The request would have succeeded, but the DryRun option is set.",
            kms.create_grant,
            **grant,
            DryRun=True,
        )
        made = kms.create_grant(**grant)
        again = kms.create_grant(**grant)
        self.assertEqual(made["GrantId"], again["GrantId"])
        self.assertNotEqual(made["GrantToken"], again["GrantToken"])
        (listed,) = kms.list_grants(KeyId=key_id, GranteePrincipal=grantee)["Grants"]
        self.assertIsInstance(listed.pop("CreationDate"), datetime.datetime)
        self.assertEqual(
            listed,
            {
                **grant,
                "KeyId": self.arn(f"key/{key_id}"),
                "GrantId": made["GrantId"],
                "IssuingAccount": f"arn:aws:iam::{self.account}:root",
            },
        )
        kms.encrypt(KeyId=key_id, Plaintext=b"text", GrantTokens=[made["GrantToken"]])
        kms.retire_grant(GrantToken=again["GrantToken"])
        self.assertEqual(kms.list_grants(KeyId=key_id)["Grants"], [])
        for exception, message, call, members in (
            (
                errors.NotFoundException,
                f"Grant '{made['GrantId']}' does not exist",
                kms.revoke_grant,
                {"KeyId": key_id, "GrantId": made["GrantId"]},
            ),
            (
                errors.InvalidGrantIdException,
                "",
                kms.revoke_grant,
                {"KeyId": key_id, "GrantId": "x"},
            ),
            (errors.InvalidGrantTokenException, "", kms.retire_grant, {"GrantToken": "x"}),
            (
                errors.InvalidArnException,
                "ARN does not refer to a valid principal: App",
                kms.create_grant,
                {**grant, "GranteePrincipal": "App"},
            ),
        ):
            self.assert_refused(exception, message, call, **members)


if __name__ == "__main__":
    unittest.main()
