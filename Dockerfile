# Everything is in one bundle; the image is Node.js, that file, and no shell.
FROM node:24-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# The build needs neither the Node.js nor the PostgreSQL that the tests install from npm; scripts fetch those.
RUN npm ci --ignore-scripts
COPY src ./src
COPY hack/dev/build.ts ./hack/dev/build.ts
RUN node hack/dev/build.ts
# For `kubectl exec deploy/job-chief -- job-chief check connection main`: there is no shell and no env to find node.
RUN printf '#!/nodejs/bin/node\nimport "/app/job-chief.mjs";\n' > dist/job-chief && chmod 755 dist/job-chief

FROM gcr.io/distroless/nodejs24-debian13:nonroot
COPY --from=build /src/dist/job-chief.mjs /app/job-chief.mjs
COPY --from=build /src/dist/job-chief /usr/local/bin/job-chief
COPY LICENSE /app/LICENSE
ENV NODE_ENV=production
# Numeric, so that the kubelet can check runAsNonRoot.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/nodejs/bin/node", "/app/job-chief.mjs"]
CMD ["controller"]
