namespace MLTransfer.Torch.Checkpoints.Hub;

/// <summary>
/// Reads an answer's body with a limit on how long the server may be silent, and tells a dropped connection as a
/// <see cref="HubException"/>.
/// </summary>
internal sealed class BodyReader : IDisposable
{
    private readonly Stream _stream;
    private readonly Uri _address;
    private readonly TimeSpan _timeout;
    private readonly CancellationToken _cancellationToken;
    private readonly CancellationTokenSource _deadline;

    private BodyReader(Stream stream, Uri address, TimeSpan timeout, CancellationToken cancellationToken)
    {
        _stream = stream;
        _address = address;
        _timeout = timeout;
        _cancellationToken = cancellationToken;
        _deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    }

    public static async Task<BodyReader> OpenAsync(
        HttpResponseMessage response, Uri address, TimeSpan timeout, CancellationToken cancellationToken) =>
        new(await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false), address, timeout, cancellationToken);

    /// <returns>The number of bytes read; 0 at the end of the body.</returns>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        _deadline.CancelAfter(_timeout);
        try
        {
            return await _stream.ReadAsync(buffer, _deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!_cancellationToken.IsCancellationRequested)
        {
            throw HubErrors.FromTimeout(_address, _timeout, e);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            _cancellationToken.ThrowIfCancellationRequested();
            throw new HubException($"The connection to {_address} broke: {e.Message}", e) { IsTransient = true };
        }
    }

    public void Dispose()
    {
        _deadline.Dispose();
        _stream.Dispose();
    }
}
