/** The job of every coordinator, scraped by whatever configuration. */
export const JOB = 'dcgan-trainer';

/** Labels that a run keeps when it goes on at another address. */
export const JOB_LABELS = 'job, namespace';

export const SCRAPE_INTERVAL = '15s';
