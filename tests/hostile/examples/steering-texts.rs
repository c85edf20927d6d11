//! Has texts that steer a terminal, a browser and a Markdown reader in its descriptor, failures and
//! checks.

use hostile::{
    Account, Advice, Check, Connector, DataField, DataSet, Descriptor, Failure, GuideSection,
    Outcome, Question, Report, Setting, check, descriptor, failure, report,
};

const STEERING: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}<script>alert(1)</script>\n# Heading\n[x](javascript:alert(1)) \
    ![p](https://evil.example/p.png) <img src=x onerror=alert(1)> <javascript:alert(1)> [https://good.example](https://evil.example)\n\
    \u{9b}2J{\"error\":{\"code\":\"fine\"}}";

struct SteeringTexts;

impl Connector for SteeringTexts {
    fn describe() -> Descriptor {
        let mut it = descriptor();
        let texts = [
            &mut it.name,
            &mut it.version,
            &mut it.vendor,
            &mut it.summary,
            &mut it.pricing,
            &mut it.status,
            &mut it.integration_type,
        ];
        texts.into_iter().for_each(|text| *text = STEERING.into());
        it.data_collected = vec![DataSet {
            name: STEERING.into(),
            fields: vec![DataField { name: STEERING.into(), description: STEERING.into() }],
        }];
        it.permissions_required = vec![STEERING.into()];
        for field in &mut it.settings {
            [&mut field.label, &mut field.help, &mut field.placeholder]
                .into_iter()
                .for_each(|text| *text = STEERING.into());
            // The host notes that a value does not match, and names the setting by its label.
            field.pattern = Some("no-value-has-this-form".into());
        }
        for endpoint in &mut it.api.endpoints {
            endpoint.purpose = STEERING.into();
            endpoint.scope = Some(STEERING.into());
        }
        it.setup_guide = vec![GuideSection {
            title: STEERING.into(),
            introduction: STEERING.into(),
            steps: vec![STEERING.into()],
        }];
        it.faq = vec![Question { question: STEERING.into(), answer: STEERING.into() }];
        it.attributes = vec![(STEERING.into(), STEERING.into())];
        it
    }

    fn validate(_: Vec<Setting>) -> Report {
        let advice = Advice {
            message: STEERING.into(),
            hint: STEERING.into(),
            setting: Some(STEERING.into()),
        };
        let warned = Check {
            id: "warned".into(),
            title: STEERING.into(),
            outcome: Outcome::Warning(advice),
            ..check(Ok(String::new()))
        };
        report(vec![warned, Check { title: STEERING.into(), ..check(Err(failed())) }])
    }

    fn connect(_: Vec<Setting>) -> Result<Account, Failure> {
        Err(failed())
    }
}

fn failed() -> Failure {
    Failure {
        hint: STEERING.into(),
        setting: Some(STEERING.into()),
        vendor_code: Some(STEERING.into()),
        ..failure(STEERING)
    }
}

hostile::component!(SteeringTexts);
