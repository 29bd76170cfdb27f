using System.Text.Json.Nodes;

namespace MLTransfer.Torch.Generation;

/// <summary>
/// A network that reads tokens and gives the logits of the next ones, whatever library computes it. For several threads at once.
/// </summary>
internal interface ICausalDecoder
{
    /// <summary>The content of <c>config.json</c>.</summary>
    JsonObject Configuration { get; }

    /// <summary>The number of token ids.</summary>
    int VocabularySize { get; }

    /// <summary>The most positions that the network can see.</summary>
    int ContextLength { get; }

    /// <exception cref="InvalidOperationException">The network is not in the state to generate.</exception>
    void CheckReady();

    /// <summary>Begins to read sequences.</summary>
    /// <param name="rows">The number of sequences.</param>
    /// <param name="capacity">The most positions, padding included, that there will be at a time.</param>
    IDecodingCache CreateCache(int rows, int capacity);
}
