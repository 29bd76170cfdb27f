namespace MLTransfer.Extensions.AI;

/// <summary>What clients have in common: one model under one name, that belongs to the client or not.</summary>
/// <param name="model">A transformer or a model.</param>
/// <param name="modelId">What the client calls it.</param>
/// <param name="ownsModel">Whether the client's end is the model's.</param>
internal sealed class ServedModel(object model, string modelId, bool ownsModel) : IDisposable
{
    public const string ProviderName = "mltransfer";

    private int _isDisposed;

    public string ModelId => modelId;

    /// <summary>Refuses requests of a disposed client, and requests of another model.</summary>
    /// <param name="client">Whose request it is.</param>
    /// <param name="asked">The model that a request names; null for the client's.</param>
    /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
    /// <exception cref="NotSupportedException">Another model is asked for.</exception>
    public void Check(object client, string? asked)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed) != 0, client);
        if (asked is not null && asked != modelId)
        {
            throw new NotSupportedException(
                $"ModelId is '{asked}', but the client has one model, '{modelId}'. Leave ModelId out, or give the client that modelId.");
        }
    }

    /// <summary>What a client's <c>GetService</c> gives: the first that is of the type.</summary>
    /// <param name="serviceType">The type.</param>
    /// <param name="serviceKey">Nothing has a key.</param>
    /// <param name="client">The client.</param>
    /// <param name="metadata">Its metadata.</param>
    /// <param name="source">What was found in the model.</param>
    public object? Find(Type serviceType, object? serviceKey, object client, object metadata, object source)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null : Array.Find([client, metadata, model, source], serviceType.IsInstanceOfType);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0 && ownsModel)
            (model as IDisposable)?.Dispose();
    }
}
