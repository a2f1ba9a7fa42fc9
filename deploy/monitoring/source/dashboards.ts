/** By which dashboards link to each other. */
export const RUN_UID = 'dcgan-run';
export const FLEET_UID = 'dcgan-fleet';
