//! The setup guide: the key, the domain, the form.

use smp_connector_kit::GuideSection;
use smp_connector_kit::listing::section;

/// The sections, in order.
pub fn sections() -> Vec<GuideSection> {
    vec![
        section(
            "Get the API credentials",
            "The organization must have a verified domain and at least one managed account, which \
             is an account that you have claimed. If it has none yet, begin with **Verify your \
             domain and claim accounts**.",
            &[
                "Log in to [admin.atlassian.com](https://admin.atlassian.com).",
                "Look at the label to the right of each organization's name, and click the \
                 organization that you want to track. It must read **N domains N managed \
                 accounts**. Where it reads **Verify your domains**, follow **Verify your domain \
                 and claim accounts** first, and come back.",
                "In the organization, click **Settings**.",
                "Click **API keys**.",
                "Click **Create API key**. If Atlassian lets you choose between a key with scopes \
                 and one without, either will do. With scopes, choose `read:orgs:admin`, \
                 `read:accounts:admin` and `read:domains:admin`: they cannot be added later.",
                "Enter a name by which you will know the key again, such as **SMP integration**. \
                 Choose the longest expiration date, which is one year from today; what Atlassian \
                 proposes is one week. Then click **Create**.",
                "Note down the **Organization ID** and the **API Key**; you need both in the SMP. \
                 The key is shown this once only.",
            ],
        ),
        section(
            "Verify your domain and claim accounts",
            "Skip this if the label of your organization already counts domains and managed \
             accounts.",
            &[
                "Log in to [admin.atlassian.com](https://admin.atlassian.com).",
                "In the organization, click **Directory > Domains**. With the improved user \
                 management experience it is **Settings > Domains**.",
                "Add your domain, and follow Atlassian's instructions for one of the two methods: \
                 **DNS TXT** or **HTTPS**. Verification can take days.",
                "When a green **VERIFIED** stands beside the domain, claim its accounts: at least \
                 one.",
            ],
        ),
        section(
            "Configure Atlassian Cloud in the SMP",
            "",
            &[
                "Log in to the SMP and open the settings of **Atlassian Cloud**.",
                "Click **Integrate** and fill in the form: the **Organization ID** and the **Api \
                 Key** that you noted down.",
            ],
        ),
    ]
}
