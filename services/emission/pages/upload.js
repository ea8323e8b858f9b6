// Sending a file, with how much of it has gone; fetch does not tell.

import { Problem, at, renew } from "./api.js";
import { t } from "./i18n.js";

export async function upload(path, file, type, onProgress) {
  try {
    return await sent(path, file, type, onProgress);
  } catch (problem) {
    // The token may have ended on the way.
    if (problem.status !== 401 || !(await renew())) throw problem;
    return sent(path, file, type, onProgress);
  }
}

function sent(path, file, type, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", at("emission", path));
    request.withCredentials = true;
    request.setRequestHeader("content-type", type);
    request.setRequestHeader("accept", "application/json");
    request.upload.onprogress = (event) => onProgress(event.lengthComputable ? event.loaded / event.total : 0);
    request.onerror = () => reject(new Problem(0, { title: t("No connection"), detail: t("The service does not answer. Check the connection and try again.") }));
    request.onload = () => {
      const answer = documentOf(request.responseText);
      if (request.status >= 200 && request.status < 300) resolve(answer);
      else reject(new Problem(request.status, { title: request.statusText, ...answer }));
    };
    request.send(file);
  });
}

function documentOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
