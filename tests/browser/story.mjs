// A made-up organization that was collected three times, with who left, returned and went idle.
import { folder, install, mock, platform } from "./platform.mjs";

export const WORKSPACES = "POST /admin/v2/orgs/{organization-id}/workspaces";
const ago = (days) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10) + "T00:00:00Z";

/** The platform with that organization. */
export async function story({ members = [238, 262, 250], args = [] } = {}) {
  const data = folder();
  install(data, undefined, WORKSPACES);
  const days = [75, 45, 0];
  const open = (place, port) => mock(["--port", String(port), "--members", String(members[place]), "--now", ago(days[place]), ...args]);
  let organization = await open(0, 0);
  const { port } = organization;
  const site = await platform(data, [organization.url]);
  const connection = await site.connect("acme", organization, { name: "Atlassian" });
  const runs = [await site.collected(connection)];
  for (let place = 1; place < members.length; place += 1) {
    await organization.stop();
    organization = await open(place, port);
    runs.push(await site.collected(connection, true));
  }
  return { data, site, organization, connection, runs };
}

/** The pages of the console, by name. */
export const pages = (connection, runs) => ({
  connections: "/connections",
  connect: "/connect/atlassian-cloud",
  connection: `/c/${connection}`,
  run: `/c/${connection}/runs/${runs.at(-1).id}`,
  members: `/c/${connection}/members`,
  changes: `/c/${connection}/changes`,
  licences: `/c/${connection}/licences`,
  plugin: "/plugins/atlassian-cloud",
});
