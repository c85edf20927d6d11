//! The setup guide: the key, the domain, the form, and how to compare the list.

use smp_connector_kit::GuideSection;
use smp_connector_kit::listing::section;

/// The sections, in order.
pub fn sections() -> Vec<GuideSection> {
    vec![
        section(
            "Get the API credentials",
            "To list managed accounts, the organization must have a verified domain and at least \
             one managed account, which is an account that you have claimed. If it has none yet, \
             begin with **Verify your domain and claim accounts**.",
            &[
                "Log in to [admin.atlassian.com](https://admin.atlassian.com).",
                "Look at the label to the right of each organization's name, and click the \
                 organization that you want to track. It must read **N domains N managed \
                 accounts**. Where it reads **Verify your domains**, follow **Verify your domain \
                 and claim accounts** first, and come back.",
                "In the organization, click **Organization settings** (older pages: **Settings**).",
                "Click **API keys**.",
                "Click **Create API key**. If Atlassian lets you choose between a key with scopes \
                 and one without, either will do. With scopes, choose for managed accounts \
                 `read:orgs:admin`, `read:accounts:admin` and `read:domains:admin`; for everyone \
                 in the organization `read:orgs:admin`, `read:directories:admin` and \
                 `read:workspaces:admin`. To read the seats of each product, add \
                 `read:workspaces:admin`; to be warned before the key expires, add \
                 `read:keys:admin`. Scopes cannot be added later.",
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
             accounts, or if you list everyone in the organization. Claiming makes the accounts \
             with addresses of your domain your organization's: you can then deactivate and delete \
             them and set their sign-in rules, their owners are told by e-mail, and can no longer \
             change the address or delete the account themselves. It may start a bill for \
             Atlassian Guard where you have it.",
            &[
                "Log in to [admin.atlassian.com](https://admin.atlassian.com).",
                "In the organization, click **Directory > Domains**. With the improved user \
                 management experience it is **Settings > Domains**.",
                "Add your domain, and follow Atlassian's instructions for one of the two methods: \
                 **DNS TXT** or **HTTPS**. Verification can take days.",
                "When a green **VERIFIED** stands beside the domain, claim its accounts: at least \
                 one.",
                "See the claimed accounts under **Directory > Users** with the filter **Account \
                 type** (older pages: **Directory > Managed accounts**).",
            ],
        ),
        section(
            "Configure Atlassian Cloud in the SMP",
            "",
            &[
                "Log in to the SMP and open the settings of **Atlassian Cloud**.",
                "Click **Integrate** and fill in the form: the **Organization ID** and the **Api \
                 Key** that you noted down.",
                "Choose the **People**: the managed accounts only, or everyone in the \
                 organization.",
                "Leave **Cloud** as it is, unless your organization is in Atlassian's Government \
                 cloud: its sites end in `atlassian-us-gov-mod.net`, its administration has an \
                 address of its own, and the requests go to \
                 `https://api.atlassian-us-gov-mod.com`.",
            ],
        ),
        section(
            "Compare the list with Atlassian's own",
            "Atlassian can export the same people, so that you need not believe the list.",
            &[
                "In the organization, click **Directory > Users**, then **Export users** (older \
                 pages: **Directory > Managed accounts > Export accounts**). The file comes by \
                 e-mail.",
                "For managed accounts, keep the rows of the account type **Managed**; for everyone \
                 in the organization, keep all of them.",
                "Compare the number of accounts, and a few people with their apps (older pages: \
                 products) and last activity. Activity of the last 24 hours may be missing in \
                 either.",
            ],
        ),
    ]
}
