using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Generation;

/// <summary>
/// Vectors of texts: the mean of a network's last hidden states over a text's tokens, made of length 1, as sentence-transformers pools
/// where nothing says otherwise (Reimers and Gurevych 2019, arXiv 1908.10084). Texts of like content are near each other; of networks that
/// were not trained for it this is a rough measure.
/// </summary>
/// <remarks>
/// The states are those of the last block behind the last norm, before an output head; of an encoder with a decoder those of the encoder
/// (Sentence-T5, arXiv 2108.08877). A text that is longer than the context is read in pieces of its length, and the mean goes over all of
/// its tokens. Several threads may use one object at once.
/// </remarks>
public sealed class TextEmbedder
{
    private readonly TransformerNetwork _network;
    private readonly TextTokenizer _tokenizer;

    /// <summary>Puts a network and a tokenizer together.</summary>
    /// <param name="network">In evaluation mode; it stays the caller's.</param>
    /// <param name="tokenizer">The tokenizer that the network was trained with.</param>
    public TextEmbedder(TransformerNetwork network, TextTokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(tokenizer);
        (_network, _tokenizer) = (network, tokenizer);
    }

    /// <summary>The numbers of a vector.</summary>
    public int Width => (_network.Description.Encoder ?? _network.Description.Output).Width;

    private StackModule Stack => _network.Encoder ?? _network.Output;

    /// <summary>Makes a vector of each text.</summary>
    /// <param name="texts">None empty.</param>
    /// <param name="batchSize">How many texts the network reads together. It changes speed and memory, and the rounding of
    /// results.</param>
    /// <param name="cancellationToken">Ends the work between two passes.</param>
    /// <returns>In the order of the texts.</returns>
    /// <exception cref="ArgumentException">A text is null, or has no token.</exception>
    /// <exception cref="InvalidOperationException">The network gives numbers that are none.</exception>
    /// <exception cref="ObjectDisposedException">The network is disposed.</exception>
    public IReadOnlyList<TextEmbedding> Embed(
        IReadOnlyList<string> texts, int batchSize = 32, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        using var hold = _network.Hold();
        var counts = new int[texts.Count];
        var pieces = new List<(int Text, int[] Ids)>();
        for (var i = 0; i < texts.Count; i++)
        {
            var ids = _tokenizer.Encode(texts[i] ?? throw new ArgumentException($"Text {i} is null.", nameof(texts)));
            if (ids.Length == 0)
                throw new ArgumentException($"Text {i} is empty: there is no token to make a vector of.", nameof(texts));
            counts[i] = ids.Length;
            pieces.AddRange(ids.Chunk(_network.UsualRowLength).Select(piece => (i, piece)));
        }

        var sums = new float[texts.Count][];
        // Pieces of similar length go together: little padding.
        foreach (var chunk in pieces.OrderByDescending(piece => piece.Ids.Length).Chunk(batchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            AddStates(chunk, sums);
        }

        return [.. sums.Select((sum, i) => new TextEmbedding(Normalize(sum, i), counts[i]))];
    }

    /// <summary>Adds the hidden states of pieces, summed over their tokens, to those of their texts.</summary>
    private void AddStates((int Text, int[] Ids)[] pieces, float[]?[] sums)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var (rows, length) = (pieces.Length, pieces[0].Ids.Length); // the longest is the first
        var ids = new long[checked(rows * length)];
        var real = new bool[ids.Length];
        for (var row = 0; row < rows; row++)
        {
            for (var i = 0; i < pieces[row].Ids.Length; i++)
                ids[row * length + i] = pieces[row].Ids[i];
            real.AsSpan(row * length, pieces[row].Ids.Length).Fill(true);
        }

        var mask = tensor(real, device: _network.Device).view(rows, length);
        var input = new ModelInput(tensor(ids, device: _network.Device).view(rows, length))
        {
            AttentionMask = real.Contains(false) ? mask : null,
        };
        var states = Stack.Forward(input, training: false).to(ScalarType.Float32); // [rows, length, width]
        var summed = states.masked_fill(mask.logical_not().unsqueeze(2), 0).sum(1).to(CPU).contiguous(); // [rows, width]
        var values = NativeTensor.AsSpan<float>(summed);
        for (var row = 0; row < rows; row++)
        {
            var sum = sums[pieces[row].Text] ??= new float[Width];
            for (var i = 0; i < sum.Length; i++)
                sum[i] += values[row * sum.Length + i];
        }

        GC.KeepAlive(summed);
    }

    /// <summary>Of length 1. The number of tokens, by which a mean is divided, falls out.</summary>
    private static float[] Normalize(float[] sum, int text)
    {
        var length = Math.Sqrt(sum.Sum(value => (double)value * value));
        if (!double.IsFinite(length) || length == 0)
            throw new InvalidOperationException($"Text {text}: the network's hidden states are no numbers, or all zero.");
        return Array.ConvertAll(sum, value => (float)(value / length));
    }
}
