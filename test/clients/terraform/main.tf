# A multi-Region key with a replica, an alias in both Regions, and a single-Region key whose policy
# is a resource of its own. `changed.tfvars` is the second version of what can be changed in place.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" { type = string }

variable "description" { default = "Orders" }
variable "stage" { default = "test" }
variable "rotation_period_in_days" { default = 180 }
variable "sid" { default = "Account" }
variable "replica_tags" { default = {} }
variable "single_is_enabled" { default = true }
variable "moving_alias_is_on_single" { default = true }
variable "grant_operations" { default = ["Encrypt", "Decrypt"] }

locals { account = "111122223333" }

provider "aws" {
  region                      = "us-east-1"
  access_key                  = local.account
  secret_key                  = "edge-kms"
  endpoints {
    kms = var.endpoint
    sts = var.endpoint
  }
}

provider "aws" {
  alias                       = "ireland"
  region                      = "eu-west-1"
  access_key                  = local.account
  secret_key                  = "edge-kms"
  endpoints {
    kms = var.endpoint
    sts = var.endpoint
  }
}

resource "aws_kms_key" "primary" {
  multi_region            = true
  description             = var.description
  enable_key_rotation     = true
  rotation_period_in_days = var.rotation_period_in_days
  deletion_window_in_days = 7
  tags                    = { Name = "orders", Stage = var.stage }

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = var.sid
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "Use"
        Effect    = "Allow"
        Principal = { AWS = ["444455556666", "arn:aws:iam::${local.account}:role/app"] }
        Action    = ["kms:Encrypt", "kms:Decrypt"]
        Resource  = "*"
      },
    ]
  })
}

resource "aws_kms_replica_key" "replica" {
  provider                = aws.ireland
  primary_key_arn         = aws_kms_key.primary.arn
  description             = "Orders in Ireland"
  deletion_window_in_days = 7
  tags                    = var.replica_tags
}

resource "aws_kms_alias" "primary" {
  name          = "alias/orders"
  target_key_id = aws_kms_key.primary.key_id
}

resource "aws_kms_alias" "replica" {
  provider      = aws.ireland
  name          = "alias/orders"
  target_key_id = aws_kms_replica_key.replica.key_id
}

resource "aws_kms_key" "single" {
  deletion_window_in_days = 7
  is_enabled              = var.single_is_enabled
}

resource "aws_kms_key_policy" "single" {
  key_id = aws_kms_key.single.key_id
  policy = jsonencode({
    Statement = [{ Effect = "Allow", Principal = "*", Action = "kms:*", Resource = "*" }]
  })
}

resource "aws_kms_alias" "moving" {
  name          = "alias/moving"
  target_key_id = var.moving_alias_is_on_single ? aws_kms_key.single.key_id : aws_kms_key.primary.key_id
}

resource "aws_kms_grant" "app" {
  name               = "app"
  key_id             = aws_kms_key.primary.key_id
  grantee_principal  = "arn:aws:iam::${local.account}:role/app"
  retiring_principal = "arn:aws:iam::${local.account}:user/admin"
  operations         = var.grant_operations

  constraints {
    encryption_context_subset = { Department = "IT" }
  }
}

resource "aws_kms_grant" "service" {
  provider           = aws.ireland
  key_id             = aws_kms_replica_key.replica.arn
  grantee_principal  = "dynamodb.eu-west-1.amazonaws.com"
  retiring_principal = "dynamodb.eu-west-1.amazonaws.com"
  operations         = ["CreateGrant", "DescribeKey"]
  retire_on_delete   = true
}

data "aws_kms_key" "by_alias" {
  provider = aws.ireland
  key_id   = aws_kms_alias.replica.name
}

output "key_id" { value = aws_kms_key.primary.key_id }
output "single_key_id" { value = aws_kms_key.single.key_id }
output "regions" { value = data.aws_kms_key.by_alias.multi_region_configuration[0] }
