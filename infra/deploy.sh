#!/usr/bin/env bash
# Deploys one stage to AWS: packages for arm64 and python3.13, uploads, updates the stack, sends the
# pages. Needs credentials and a region in the environment or a profile, and python3.13 (see README.md).
# PARAMETERS="Sender=... SenderIdentity=... AlarmEmail=..." are kept by the stack from then on.
set -euo pipefail
cd "$(dirname "$0")/.."

stage=$1
stack=tandem-$stage
aws=.venv/bin/aws
account=$($aws sts get-caller-identity --query Account --output text)
region=${AWS_REGION:-$($aws configure get region)}
bucket=tandem-deploy-$account-$region

.venv/bin/python -m infra.package --target aws

if ! $aws s3api head-bucket --bucket "$bucket" 2>/dev/null; then
  $aws s3 mb "s3://$bucket" --region "$region"
  $aws s3api put-public-access-block --bucket "$bucket" --public-access-block-configuration \
    BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
fi
$aws cloudformation package --template-file build/aws/template.json --s3-bucket "$bucket" \
  --s3-prefix "$stack" --use-json --output-template-file build/aws/deployed.json >/dev/null
# shellcheck disable=SC2086  # PARAMETERS is a list of words
$aws cloudformation deploy --stack-name "$stack" --template-file build/aws/deployed.json \
  --s3-bucket "$bucket" --s3-prefix "$stack" --no-fail-on-empty-changeset \
  --capabilities CAPABILITY_NAMED_IAM CAPABILITY_AUTO_EXPAND \
  --parameter-overrides "Stage=$stage" ${PARAMETERS:-}

output() {
  $aws cloudformation describe-stacks --stack-name "$stack" \
    --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue" --output text
}
.venv/bin/python -m infra.pages
$aws s3 sync build/web/ "s3://$(output WebBucketName)/" --delete --cache-control "no-cache"
$aws cloudfront create-invalidation --distribution-id "$(output DistributionId)" --paths '/*' >/dev/null
echo "$stack: $(output Origin)"
