using MLTransfer.Torch.Checkpoints.Gguf;
using MLTransfer.Torch.Checkpoints.Hub;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>Finds pretrained models by path or by their id on the Hugging Face hub, as <c>from_pretrained</c> does.</summary>
public static class PretrainedModel
{
    /// <summary>
    /// The local folder of a model in Hugging Face layout. A folder that exists is returned as it is given. A hub id is looked up in the
    /// local Hugging Face cache and, unless <c>HF_HUB_OFFLINE</c> is set, downloaded over HTTPS when it is not there.
    /// </summary>
    /// <param name="folderOrHubId">Path of a folder that holds <c>config.json</c>, or a form of checkpoint that
    /// has none, or of a GGUF file, or a hub id such as <c>gpt2</c> or <c>owner/name</c>.
    /// What starts with <c>.</c>, <c>/</c>, <c>~</c> or a drive, or exists on disk, is a path.</param>
    /// <param name="revision">Branch, tag or commit of a hub model; null for <c>main</c>. It does not apply to a folder.</param>
    /// <param name="progress">Told how far a download has come.</param>
    /// <param name="cancellationToken">Stops a download; the next call goes on from there.</param>
    /// <returns>Path of the folder, or of the GGUF file. Files of a hub model must not be changed: other programs share them.</returns>
    /// <exception cref="DirectoryNotFoundException">The text is a path and there is no such folder.</exception>
    /// <exception cref="FileNotFoundException">The folder has no <c>config.json</c>.</exception>
    /// <exception cref="ArgumentException">The text is neither a path nor a well-formed hub id.</exception>
    /// <exception cref="HubException">The hub model cannot be had; the message says why and what to do.</exception>
    public static Task<string> ResolveAsync(
        string folderOrHubId,
        string? revision = null,
        IProgress<DownloadProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        ResolveAsync(folderOrHubId, () => new HubClient(HubOptions.FromEnvironment()), revision, progress, cancellationToken);

    internal static async Task<string> ResolveAsync(
        string folderOrHubId,
        Func<HubClient> createClient,
        string? revision,
        IProgress<DownloadProgress>? progress,
        CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folderOrHubId);
        string path = HubOptions.ExpandHome(folderOrHubId);
        if (Directory.Exists(path))
            return File.Exists(Path.Combine(path, ModelFiles.Configuration)) || CheckpointFiles.NeedNoConfiguration(path)
                ? path
                : throw new FileNotFoundException(
                    $"The folder '{Path.GetFullPath(path)}' has no {ModelFiles.Configuration}. Expected a model in Hugging Face layout: "
                    + $"{ModelFiles.Configuration}, the tokenizer's files and the weights.",
                    Path.Combine(path, ModelFiles.Configuration));
        if (GgufFile.Is(path))
            return path;
        if (IsPath(folderOrHubId))
            throw new DirectoryNotFoundException(
                $"There is no folder '{Path.GetFullPath(path)}' (given as '{folderOrHubId}'). Expected the path of a folder that holds "
                + $"{ModelFiles.Configuration}, of a GGUF file, or a hub id such as 'gpt2' or 'owner/name'.");
        return await createClient().GetSnapshotAsync(folderOrHubId, revision, progress, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Whether a text is the path of a folder, there or not, and no id.</summary>
    internal static bool IsPath(string text) =>
        text[0] is '.' or '/' or '\\' or '~'
        || (text.Length > 1 && char.IsAsciiLetter(text[0]) && text[1] == ':')
        || File.Exists(text);
}
