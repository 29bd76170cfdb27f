using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Generation.Infilling;

/// <summary>Takes the logits of one position.</summary>
/// <param name="query">Which of the asked positions it is.</param>
/// <param name="logits">[vocabulary]; may be overwritten.</param>
internal delegate void LogitsReader(int query, Span<float> logits);

/// <summary>Runs rows of tokens through a network and gives the logits of single positions.</summary>
/// <param name="model">In evaluation mode.</param>
/// <param name="paddingId">What fills short rows; nothing sees it.</param>
internal sealed class MaskPredictor(MaskedLanguageModel model, int paddingId)
{
    private const int LogitsOfAProduct = 1 << 23; // 32 MiB as float32

    /// <summary>Predicts positions; those of one row (the same array) share a pass.</summary>
    /// <param name="queries">Rows and positions in them; queries of one row follow each other.</param>
    /// <param name="batchSize">Rows of a pass.</param>
    /// <param name="read">Takes the logits of each query, in any order.</param>
    /// <param name="cancellationToken">Checked before every pass.</param>
    public void Predict(
        IReadOnlyList<(int[] Row, int Position)> queries, int batchSize, LogitsReader read, CancellationToken cancellationToken)
    {
        var rows = new List<(int[] Ids, List<int> Queries)>();
        for (var query = 0; query < queries.Count; query++)
        {
            if (rows.Count == 0 || !ReferenceEquals(rows[^1].Ids, queries[query].Row))
                rows.Add((queries[query].Row, []));
            rows[^1].Queries.Add(query);
        }

        // Rows of similar length go together: little padding.
        foreach (var chunk in rows.OrderByDescending(row => row.Ids.Length).Chunk(batchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Run(chunk, queries, read);
        }
    }

    private void Run((int[] Ids, List<int> Queries)[] rows, IReadOnlyList<(int[] Row, int Position)> queries, LogitsReader read)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var length = rows[0].Ids.Length; // the longest is the first
        var ids = new long[checked(rows.Length * length)];
        var real = new bool[ids.Length];
        var positions = new List<long>();
        Array.Fill(ids, paddingId);
        for (var row = 0; row < rows.Length; row++)
        {
            for (var i = 0; i < rows[row].Ids.Length; i++)
                ids[row * length + i] = rows[row].Ids[i];
            real.AsSpan(row * length, rows[row].Ids.Length).Fill(true);
            positions.AddRange(rows[row].Queries.Select(query => (long)row * length + queries[query].Position));
        }

        var device = model.Device;
        // [rows, length, width]
        var hidden = model.ComputeHiddenStates(new ModelInput(tensor(ids, device: device).view(rows.Length, length))
        {
            AttentionMask = real.Contains(false) ? tensor(real, device: device).view(rows.Length, length) : null,
        });
        var asked = hidden.flatten(0, 1).index_select(0, tensor(positions.ToArray(), device: device)); // [queries, width]
        var all = rows.SelectMany(row => row.Queries).ToList();
        var step = Math.Max(1, LogitsOfAProduct / model.VocabularySize);
        for (var first = 0; first < all.Count; first += step)
        {
            using var part = NewDisposeScope();
            var count = Math.Min(step, all.Count - first);
            // [count, vocabulary]
            var logits = model.ComputeLogits(asked.narrow(0, first, count)).to(ScalarType.Float32).to(CPU).contiguous();
            var values = NativeTensor.AsSpan<float>(logits);
            for (var i = 0; i < count; i++)
                read(all[first + i], values.Slice(i * model.VocabularySize, model.VocabularySize));
            GC.KeepAlive(logits);
        }
    }
}
