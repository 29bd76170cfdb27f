using System.Text.Json.Nodes;
using MLTransfer.Torch.Memory;

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

    /// <summary>Lengths of a text beyond which all of it means something else to the network, so that it is read anew.</summary>
    IReadOnlyList<int> SwitchLengths => [];

    /// <summary>Begins a generation, during which the network stays even if it is disposed.</summary>
    /// <exception cref="InvalidOperationException">The network is not in the state to generate.</exception>
    /// <exception cref="ObjectDisposedException">The network is disposed.</exception>
    UseCount.Hold Hold();

    /// <summary>Begins to read sequences, while the network is held.</summary>
    /// <param name="rows">The number of sequences.</param>
    /// <param name="capacity">The most positions, padding included, that there will be at a time.</param>
    IDecodingCache CreateCache(int rows, int capacity);
}
