using MLTransfer.Torch.Generation;

namespace MLTransfer.Text;

/// <summary>A transformer or a model whose network makes vectors of texts.</summary>
internal interface ITextEmbedding
{
    /// <summary>What clients call it.</summary>
    string ModelName { get; }

    /// <summary>What makes them; the network stays the owner's.</summary>
    /// <exception cref="ObjectDisposedException">The owner is disposed.</exception>
    TextEmbedder Embedder { get; }
}
