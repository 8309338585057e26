//! Identities and tags, with the AWS SDK.

use aws_sdk_resourcegroupstagging::operation::get_resources::GetResourcesOutput;
use aws_sdk_resourcegroupstagging::types::TagFilter;
use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sts::error::ProvideErrorMetadata;
use aws_smithy_http_client::Builder;
use fake_cloudwatch::{Fake, Fault, Limits, Model, Operation, Request};

#[tokio::test]
async fn roles_are_assumed() {
    let fake = Fake::start(Model::new()).unwrap();
    let client = |key: &str| {
        aws_sdk_sts::Client::from_conf(
            aws_sdk_sts::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new("eu-west-1"))
                .credentials_provider(Credentials::new(key, "secret", None, None, "test"))
                .endpoint_url(fake.url())
                .http_client(Builder::new().build_http())
                .retry_config(RetryConfig::disabled())
                .build(),
        )
    };
    let role = "arn:aws:iam::210987654321:role/monitoring/read-only";
    let assume =
        || client("AKIDFAKE").assume_role().role_arn(role).role_session_name("cloudwatch_exporter");
    let session = assume().external_id("a&b").send().await.unwrap();
    let arn = "arn:aws:sts::210987654321:assumed-role/read-only/cloudwatch_exporter";
    assert_eq!(session.assumed_role_user().unwrap().arn(), arn);
    let credentials = session.credentials().unwrap();
    assert_eq!(credentials.access_key_id(), "ASIAread-only");
    assert!(credentials.expiration().secs() > 1_700_000_000);
    let identity = client(credentials.access_key_id()).get_caller_identity().send().await.unwrap();
    assert_eq!(
        (identity.account(), identity.user_id()),
        (Some("210987654321"), Some("ASIAread-only"))
    );
    let web = client("").assume_role_with_web_identity().role_arn(role).role_session_name("pod");
    let web = web.web_identity_token("e30.e30.").send().await.unwrap();
    assert_eq!(web.credentials().unwrap().access_key_id(), "ASIAread-only");

    fake.inject(
        Fault::error(403, "AccessDenied", "not <you>")
            .on(Operation::AssumeRole)
            .naming(role)
            .first(1),
    );
    let error = assume().send().await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Some("AccessDenied"), Some("not <you>")));
    let error =
        assume().role_arn("arn:aws:iam::210987654321:user/somebody").send().await.unwrap_err();
    assert_eq!(error.code(), Some("ValidationError"));

    let counters = fake.counters();
    assert_eq!(
        (counters.assume_role.answered, counters.assume_role.failed, counters.assume_role.refused),
        (1, 1, 1)
    );
    assert_eq!((counters.received(), counters.billed()), (5, 0));
    let Request::AssumeRole(request) = &*fake.calls()[0].request else {
        panic!("{:?}", fake.calls()[0])
    };
    assert_eq!(
        (request.session_name.as_str(), request.external_id.as_deref()),
        ("cloudwatch_exporter", Some("a&b"))
    );
}

#[tokio::test]
async fn resources_are_found_by_tags() {
    let mut model = Model::new().limits(Limits { resource_page: 2, ..Limits::default() });
    for id in 1..=5 {
        let kind = if id % 2 == 1 { "production" } else { "test" };
        let arn = format!("arn:aws:ec2:eu-west-1:123456789012:instance/i-{id}");
        model = model.resource(arn, &[("Env", kind), ("Name", "n")]);
    }
    let fake =
        Fake::start(model.resource("arn:aws:s3:::bucket", &[("Env", "production")])).unwrap();
    let client = aws_sdk_resourcegroupstagging::Client::from_conf(
        aws_sdk_resourcegroupstagging::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("AKIDFAKE", "secret", None, None, "test"))
            .endpoint_url(fake.url())
            .http_client(Builder::new().build_http())
            .retry_config(RetryConfig::disabled())
            .build(),
    );
    let production = TagFilter::builder().key("Env").values("production").values("staging").build();
    let named = TagFilter::builder().key("Name").build();
    let request =
        client.get_resources().resource_type_filters("ec2:instance").tag_filters(production);
    let pages = request
        .tag_filters(named)
        .into_paginator()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .unwrap();
    let mappings = pages.iter().flat_map(GetResourcesOutput::resource_tag_mapping_list);
    let ids: Vec<&str> = mappings
        .map(|mapping| mapping.resource_arn().unwrap().rsplit('/').next().unwrap())
        .collect();
    assert_eq!((pages.len(), ids), (2, vec!["i-1", "i-3", "i-5"]));
    let all = client.get_resources().resource_type_filters("s3").send().await.unwrap();
    let bucket = &all.resource_tag_mapping_list()[0];
    assert_eq!((bucket.tags()[0].key(), bucket.tags()[0].value()), ("Env", "production"));

    fake.inject(Fault::error(400, "ThrottledException", "slow down"));
    let error = client.get_resources().send().await.unwrap_err().into_service_error();
    assert!(error.is_throttled_exception(), "{error:?}");
    assert_eq!(
        (fake.counters().get_resources.received, fake.counters().get_resources.throttled),
        (4, 1)
    );
}
