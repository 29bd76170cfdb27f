namespace MLTransfer.Torch.Checkpoints.Hub;

/// <summary>
/// Finds models in the local Hugging Face cache and downloads them from the hub into it. The cache has the layout of Python's
/// <c>huggingface_hub</c>, so that both find what the other downloaded. Safe to use from several threads and processes at once.
/// </summary>
public sealed class HubClient
{
    private const string DefaultRevision = "main";

    /// <summary>Creates a client.</summary>
    /// <param name="options">Where models come from and where they are kept.</param>
    /// <exception cref="ArgumentException">The endpoint is not https (or http on the loopback interface), or the token is
    /// malformed.</exception>
    public HubClient(HubOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!HubRepository.IsAllowed(options.Endpoint))
            throw new ArgumentException(
                $"The hub's address is '{options.Endpoint}' (HF_ENDPOINT). Expected https://..., or http:// on this machine.",
                nameof(options));
        if (options.Token?.Any(c => c is <= ' ' or > '~') == true)
            throw new ArgumentException(
                "The access token (HF_TOKEN) has blanks or characters outside ASCII. Expected a text like 'hf_...'.", nameof(options));
        Options = options;
    }

    /// <summary>Where models come from and where they are kept.</summary>
    public HubOptions Options { get; }

    /// <summary>
    /// The folder with a model's files: configuration, tokenizer and complete weights. A model that the cache has is taken from there
    /// without any request; otherwise only those files are downloaded, checked against the hash that the hub announces.
    /// </summary>
    /// <param name="modelId">Name of the model, such as <c>gpt2</c> or <c>owner/name</c>.</param>
    /// <param name="revision">Branch, tag or commit; null for <c>main</c>.</param>
    /// <param name="progress">Told how far the download has come.</param>
    /// <param name="cancellationToken">Stops the download; what has come by then is kept, and the next call goes on from there.</param>
    /// <returns>Path of the folder <c>models--owner--name/snapshots/COMMIT</c> in the cache. Its files must not be changed.</returns>
    /// <exception cref="ArgumentException">The id or the revision is malformed.</exception>
    /// <exception cref="HubException">The model is unknown, not accessible or incomplete; the hub cannot be reached or sends wrong data;
    /// the disk is full; or the client is offline and the cache does not have the model.</exception>
    /// <exception cref="InvalidDataException">The index of sharded weights is malformed.</exception>
    public async Task<string> GetSnapshotAsync(
        string modelId,
        string? revision = null,
        IProgress<DownloadProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        var id = HubModelId.Parse(modelId);
        revision = HubNames.CheckRevision(revision ?? DefaultRevision);
        cancellationToken.ThrowIfCancellationRequested();
        HubCache cache = CacheOf(id);
        if (cache.FindSnapshot(revision) is { } cached)
            return cached;
        if (Options.Offline)
            throw new HubException(
                $"The model '{id}' revision '{revision}' is not complete in the cache, and HF_HUB_OFFLINE forbids to download it. "
                + $"Looked in '{cache.ModelFolder}' for a snapshot with {ModelFiles.Configuration}, a tokenizer and all weights. "
                + "Unset HF_HUB_OFFLINE, set HF_HUB_CACHE to the folder that has the model, or give the path of a model folder.");

        HubRepository repository = new(id, revision, Options);
        HubRevision found = await repository.GetRevisionAsync(cancellationToken).ConfigureAwait(false);
        IReadOnlyList<HubFile> files = await PlanAsync(repository, cache, id, found, cancellationToken).ConfigureAwait(false);
        cache.CheckFreeSpace(files);
        ProgressThrottle throttle = new(progress, files.Count);
        for (int i = 0; i < files.Count; i++)
        {
            HubFile file = files[i];
            int index = i + 1;
            await new BlobDownload(repository, cache, file, Options.Timeout, bytes => throttle.Report(file, index, bytes))
                .RunAsync(cancellationToken).ConfigureAwait(false);
            throttle.Report(file, index, file.Size, isLast: index == files.Count);
        }

        // Last, so that the revision never stands for a snapshot that is not complete.
        cache.WriteReference(revision, found.Commit);
        return cache.SnapshotFolder(found.Commit);
    }

    /// <summary>The folder with a model's files where the cache has all of them, else null. Nothing is asked of the hub.</summary>
    /// <exception cref="ArgumentException">The id is malformed.</exception>
    internal string? FindSnapshot(string modelId) => CacheOf(HubModelId.Parse(modelId)).FindSnapshot(DefaultRevision);

    private HubCache CacheOf(HubModelId id) => new(Options.CacheFolder, id, Options.UseSymbolicLinks);

    /// <summary>The files to download, with sizes and hashes. The index of sharded weights has to be fetched to know the shards.</summary>
    private async Task<IReadOnlyList<HubFile>> PlanAsync(
        HubRepository repository, HubCache cache, HubModelId id, HubRevision revision, CancellationToken cancellationToken)
    {
        List<HubFile> files = [];
        foreach (string name in ModelFiles.Select(id, revision))
            files.Add(await repository.GetFileAsync(revision.Commit, name, cancellationToken).ConfigureAwait(false));

        HubFile weights = files[^1];
        if (!WeightFiles.IsIndex(weights.Name))
            return files;
        if (weights.Size > FileKind.ShardIndex.MaximumLength)
            throw new HubException(
                $"The index '{weights.Name}' of '{id}' has {weights.Size} bytes. Expected at most {FileKind.ShardIndex.MaximumLength}.");
        cache.CheckFreeSpace([weights]);
        await new BlobDownload(repository, cache, weights, Options.Timeout, _ => { }).RunAsync(cancellationToken).ConfigureAwait(false);
        foreach (string shard in WeightFiles.ReadIndex(Path.Combine(cache.SnapshotFolder(revision.Commit), weights.Name)))
        {
            if (!revision.Files.Contains(shard))
                throw new HubException(
                    $"The index '{weights.Name}' of '{id}' at commit {revision.Commit} lists the file '{shard}', which the "
                    + "repository does not have.");
            files.Add(await repository.GetFileAsync(revision.Commit, shard, cancellationToken).ConfigureAwait(false));
        }

        return files;
    }
}
