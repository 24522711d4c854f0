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
# Buffers that are done with go back to the system instead of staying with the allocator: a third of what is resident
# after ten thousand Jobs were listed (docs/performance.md).
ENV NODE_ENV=production MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=131072 MALLOC_TRIM_THRESHOLD_=131072
# Numeric, so that the kubelet can check runAsNonRoot.
USER 65532:65532
EXPOSE 8080
# By itself Node.js lets the heap grow to the whole of the container's memory limit, and be killed there. Half of it is
# twice what a thousand specs with ten thousand Jobs need.
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=4", "--max-old-space-size-percentage=50", "/app/job-chief.mjs"]
CMD ["controller"]
