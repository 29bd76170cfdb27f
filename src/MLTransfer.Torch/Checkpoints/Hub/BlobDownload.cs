using System.Net;

namespace MLTransfer.Torch.Checkpoints.Hub;

/// <summary>
/// Brings one file into the cache: into <c>blobs/HASH.incomplete</c>, on from where an earlier try ended, and under its final name only
/// when its content has the announced hash.
/// </summary>
internal sealed class BlobDownload(HubRepository repository, HubCache cache, HubFile file, TimeSpan timeout, Action<long> report)
{
    private const int BufferSize = 1 << 18;

    /// <summary>Makes the file visible in its snapshot, downloading what is missing.</summary>
    /// <exception cref="HubException">The server fails, or sends something else than it announced, twice.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using IDisposable held = await BlobLock.AcquireAsync(cache.LockPath(file), cancellationToken).ConfigureAwait(false);
        if (!cache.HasFile(file))
        {
            bool isNew = !cache.HasBlob(file);
            if (isNew)
                await FetchAsync(cancellationToken).ConfigureAwait(false);
            cache.Link(file, isNew);
        }
    }

    private async Task FetchAsync(CancellationToken cancellationToken)
    {
        string path = cache.IncompletePath(file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        bool isRefused = false;
        try
        {
            await using FileStream stream = new(
                path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, useAsync: true);
            for (bool isSecondTry = false; ; isSecondTry = true)
            {
                try
                {
                    await ReceiveAllAsync(stream, cancellationToken).ConfigureAwait(false);
                    await CheckContentAsync(stream, cancellationToken).ConfigureAwait(false);
                    break;
                }
                catch (InvalidDataException e)
                {
                    stream.SetLength(0);
                    isRefused = isSecondTry;
                    if (isSecondTry)
                        throw new HubException(e.Message, e);
                }
            }

            stream.Flush(flushToDisk: true);
        }
        catch when (isRefused)
        {
            File.Delete(path);
            throw;
        }

        File.Move(path, cache.BlobPath(file), overwrite: true);
    }

    private async Task CheckContentAsync(FileStream stream, CancellationToken cancellationToken)
    {
        string found = await ContentHash.ComputeLikeAsync(file.ContentHash, stream, cancellationToken).ConfigureAwait(false);
        if (found != file.ContentHash)
            throw new InvalidDataException(
                $"The content of '{file.Name}' from {Address} is not what the hub announced: "
                + $"expected hash {file.ContentHash}, found {found}. It was deleted. "
                + "Try again later, or check HF_ENDPOINT and any proxy in between.");
    }

    /// <summary>
    /// Retries while the connection fails; as long as each round of tries brings the file further, there is another round.
    /// </summary>
    private async Task ReceiveAllAsync(FileStream stream, CancellationToken cancellationToken)
    {
        if (stream.Length > file.Size)
            stream.SetLength(0);
        for (long furthest = stream.Length; stream.Length < file.Size;)
        {
            try
            {
                await repository.RetryAsync(token => ReceiveAsync(stream, token), cancellationToken).ConfigureAwait(false);
            }
            catch (HubException e) when (e.IsTransient && stream.Length > furthest)
            {
                furthest = stream.Length;
            }
        }
    }

    private async ValueTask ReceiveAsync(FileStream stream, CancellationToken cancellationToken)
    {
        // Everything may have come in the try before, just not the end of the body.
        if (stream.Length == file.Size)
            return;
        using HttpResponseMessage response = await repository.OpenAsync(file, stream.Length, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.PartialContent)
            CheckRange(response, stream.Length);
        else if (response.StatusCode == HttpStatusCode.OK)
            stream.SetLength(0); // the server does not resume
        else
            throw Contradiction($"the answer {response.StatusCode} to a request from byte {stream.Length} on");
        if (response.Content.Headers.ContentLength > file.Size - stream.Length)
            throw Contradiction($"{response.Content.Headers.ContentLength} bytes from byte {stream.Length} on");

        stream.Position = stream.Length;
        using BodyReader body = await BodyReader.OpenAsync(response, Address, timeout, cancellationToken).ConfigureAwait(false);
        byte[] buffer = new byte[BufferSize];
        for (int count; (count = await body.ReadAsync(buffer).ConfigureAwait(false)) > 0;)
        {
            if (count > file.Size - stream.Position)
                throw Contradiction("more than that");
            await stream.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
            report(stream.Position);
        }

        if (stream.Length < file.Size)
            throw new HubException($"{Address} ended after {stream.Length} of {file.Size} bytes.") { IsTransient = true };
    }

    private void CheckRange(HttpResponseMessage response, long from)
    {
        var range = response.Content.Headers.ContentRange;
        if (range?.From != from || (range.Length ?? file.Size) != file.Size)
            throw Contradiction($"the range '{range}' for a request from byte {from} on");
    }

    private Uri Address => repository.FileAddress(file.Commit, file.Name);

    private InvalidDataException Contradiction(string found) =>
        new($"{Address} announced '{file.Name}' with {file.Size} bytes, but sent {found}. What came was deleted. "
            + "Try again later, or check HF_ENDPOINT and any proxy in between.");
}
