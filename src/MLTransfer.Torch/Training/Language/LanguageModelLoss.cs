using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Layers.Frozen;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Language;

/// <summary>Cross-entropy of predicted tokens together with the output head, the widest matrix of a language model.</summary>
/// <remarks>
/// Logits of a whole batch, [tokens, vocabulary], would take several times the memory of everything else. They are made for some rows at a
/// time and turned into their own gradient in place, so that neither forward nor backward pass ever holds more than these rows.
/// </remarks>
internal static class LanguageModelLoss
{
    /// <summary>The memory of the logits that are held at once, 64 MiB.</summary>
    private const long ChunkBytes = 1 << 26;

    /// <summary>
    /// The elements from which on a head takes so much memory that room for it is worth the time that giving back the heap's gaps takes.
    /// </summary>
    private const long LargeHead = 1 << 24;

    /// <summary>The sum over a batch's predicted tokens of -ln p(token), in nats.</summary>
    public static double Sum(TransformerNetwork model, TrainingBatch batch)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        return SumHead(model, model.Head, PredictingRows(model, batch), batch.Targets);
    }

    /// <summary>The sum of ln p(token) over the predicted tokens of each row of a batch, in nats.</summary>
    /// <param name="model">The model.</param>
    /// <param name="batch">The rows.</param>
    /// <param name="counts">How many tokens are predicted in each row, in order.</param>
    public static double[] LogProbabilities(TransformerNetwork model, TrainingBatch batch, IReadOnlyList<int> counts)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        return LogProbabilities(model, PredictingRows(model, batch), batch.Targets, counts);
    }

    /// <summary>The sum over rows that a head reads, [rows, C], of -ln p(target), in nats.</summary>
    internal static double SumHead(TransformerNetwork model, HeadModule head, Tensor rows, Tensor targets)
    {
        double sum = 0;
        foreach (var (start, count) in Chunks(head.Rows, model.ComputeType ?? model.DataType, rows))
        {
            using var chunkScope = NewDisposeScope();
            var logits = head.Logits(rows.narrow(0, start, count), model.ComputeType); // [count, vocabulary]
            sum += CrossEntropy.Sum(logits, targets.narrow(0, start, count));
        }

        return sum;
    }

    /// <summary>Adds the gradient of the loss, times a factor, to the gradients of the model's parameters.</summary>
    /// <returns>The loss of all predicted tokens, without regularization the sum of -ln p(token), times the factor.</returns>
    /// <param name="model">The model.</param>
    /// <param name="batch">The rows.</param>
    /// <param name="factor">What the loss is multiplied with.</param>
    /// <param name="recomputation">Computes blocks twice to save memory; null for once.</param>
    /// <param name="frozen">Where frozen weights are that are not in memory; null where all are.</param>
    /// <param name="regularization">Further terms of the loss, and noise on embeddings; null for none.</param>
    public static double Backward(
        TransformerNetwork model, TrainingBatch batch, double factor, BlockRecomputation? recomputation = null,
        FrozenWeights? frozen = null, LossRegularization? regularization = null) => factor * Backward(
            model, batch, recomputation, frozen, regularization?.Noise,
            rows => BackwardHead(model, model.Head, rows, batch.Targets, factor, regularization?.Terms ?? default));

    /// <summary>Adds the gradient of a loss of log-probabilities of whole rows to the gradients of the model's parameters.</summary>
    /// <returns>The loss.</returns>
    /// <param name="model">The model.</param>
    /// <param name="batch">The rows.</param>
    /// <param name="counts">How many tokens are predicted in each row, in order.</param>
    /// <param name="loss">Makes the loss, and its derivative by each row's sum of ln p(token), of these sums.</param>
    /// <param name="recomputation">Computes blocks twice to save memory; null for once.</param>
    /// <param name="frozen">Where frozen weights are that are not in memory; null where all are.</param>
    /// <param name="noise">On embeddings; null for none.</param>
    /// <remarks>Logits are made twice, so that no more of them are held than a part: for the sums, and for their gradient.</remarks>
    public static double Backward(
        TransformerNetwork model, TrainingBatch batch, IReadOnlyList<int> counts,
        Func<double[], (double Loss, double[] Slopes)> loss, BlockRecomputation? recomputation, FrozenWeights? frozen,
        EmbeddingNoise? noise) => Backward(model, batch, recomputation, frozen, noise, rows =>
        {
            using var gradients = no_grad();
            using var scope = NewDisposeScope();
            var (value, slopes) = loss(LogProbabilities(model, rows, batch.Targets, counts));
            float[] weights = [.. counts.Zip(slopes).SelectMany(row => Enumerable.Repeat((float)-row.Second, row.First))];
            var head = BackwardHead(
                model, model.Head, rows, batch.Targets, factor: 1, rowWeights: tensor(weights, device: rows.device).unsqueeze(1));
            return (value, head.RowGradients.MoveToOuterDisposeScope());
        });

    /// <param name="model">The model.</param>
    /// <param name="batch">The rows.</param>
    /// <param name="recomputation">Computes blocks twice to save memory; null for once.</param>
    /// <param name="frozen">Where frozen weights are that are not in memory; null where all are.</param>
    /// <param name="noise">On embeddings; null for none.</param>
    /// <param name="head">Makes the loss, and its gradient, of what the head reads.</param>
    private static double Backward(
        TransformerNetwork model, TrainingBatch batch, BlockRecomputation? recomputation, FrozenWeights? frozen, EmbeddingNoise? noise,
        Func<Tensor, (double Loss, Tensor RowGradients)> head)
    {
        using var scope = NewDisposeScope();
        using var encoder = batch.EncoderInput is { } source
            ? new EncoderPass((EncoderDecoderModel)model, source, recomputation, noise) : null;
        var embeddings = LookedUpRows.OfTokens(model.Output.Input, batch.Input.InputIds, model.DataType, noise, stream: 0);
        frozen?.ReleaseMemory(); // of the table
        var input = batch.Input with
        {
            InputEmbeddings = embeddings.Values,
            Recomputation = recomputation,
            Encoded = encoder?.Encoded,
        };
        var rows = PredictingRows(model, batch, input); // with the graph behind them
        if (rows.device_type == TorchSharp.DeviceType.CPU && model.OutputHead.numel() >= LargeHead)
            NativeHeap.Trim(); // a training step takes the most memory from here on: gaps of the forward pass, and the head's gradient

        var (loss, rowGradients) = head(rows.detach());
        if (rows.requires_grad)
            autograd.backward(rows, rowGradients);
        recomputation?.Backward();
        embeddings.Backward();
        encoder?.Backward();
        return loss;
    }

    /// <summary>The loss, the gradient of what a head reads, and the head's gradient added to where gradients are.</summary>
    /// <param name="model">The model.</param>
    /// <param name="head">One of its heads.</param>
    /// <param name="rows">What it reads: [rows, C].</param>
    /// <param name="targets">[rows] int64.</param>
    /// <param name="factor">Of the gradient.</param>
    /// <param name="terms">Further terms of the loss.</param>
    /// <param name="rowWeights">Further factors of the gradient, of each row: [rows, 1]; null for none.</param>
    internal static (double Sum, Tensor RowGradients) BackwardHead(
        TransformerNetwork model, HeadModule head, Tensor rows, Tensor targets, double factor, CrossEntropyTerms terms = default,
        Tensor? rowWeights = null)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var rowGradients = empty_like(rows);
        var type = model.ComputeType ?? model.DataType;
        var inputs = rows.to(type);
        var weight = head.Frozen is not null ? null
            : head.Converted ?? (head.Weight.dtype == model.DataType ? head.Weight.to(type) : head.Weight);
        var headGradient = head.Weight.requires_grad ? new HeadGradient(head.Weight, type) : null;
        Tensor? memory = null; // of the first chunk, which is the longest
        double sum = 0;
        foreach (var (start, count) in Chunks(head.Rows, type, rows))
        {
            using var chunkScope = NewDisposeScope();
            var input = inputs.narrow(0, start, count);
            memory ??= empty([count, head.Rows], type, rows.device).MoveToOuterDisposeScope();
            var logits = memory.narrow(0, 0, count);
            Multiply(input, logits);
            sum += ToGradient(head, logits, targets.narrow(0, start, count), factor, terms, rowWeights?.narrow(0, start, count));
            rowGradients.narrow(0, start, count).copy_(Back(logits));
            headGradient?.Add(logits, input);
            head.TrainedRows?.AddProduct(logits, input);
        }

        return (sum, rowGradients.MoveToOuterDisposeScope());

        void Multiply(Tensor input, Tensor logits) // with the weight, [vocabulary, C]
        {
            if (weight is null)
                FrozenProduct.Multiply(input, head.Frozen!, byRows: true, logits);
            else
                WideProduct.Multiply(input, weight, logits);
        }

        Tensor Back(Tensor logits) => weight is null
            ? FrozenProduct.Multiply(logits, head.Frozen!, byRows: false) : WideProduct.Back(logits, weight);
    }

    /// <summary>
    /// Makes products of the head's weight, [rows, vocabulary], into the gradient of the loss by them, in place; the bias gets its
    /// gradient.
    /// </summary>
    /// <returns>The loss.</returns>
    private static double ToGradient(
        HeadModule head, Tensor products, Tensor targets, double factor, CrossEntropyTerms terms, Tensor? rowWeights)
    {
        if (head.Bias is { } bias)
            products.add_(bias.view(-1).to(products.dtype));
        Tensor? slope = null; // of the cap
        if (head.SoftCap is { } cap)
        {
            products.div_(cap).tanh_();
            slope = 1 - products.square();
            products.mul_(cap);
        }

        var sum = CrossEntropy.SumWithGradient(products, targets, factor, terms);
        if (rowWeights is not null)
            products.mul_(rowWeights);
        if (slope is not null)
            products.mul_(slope);
        if (head.Bias is TorchSharp.Modules.Parameter { requires_grad: true } trained)
        {
            trained.grad ??= zeros_like(trained);
            using var gradient = trained.grad;
            gradient.add_(products.sum(0, type: gradient.dtype).view(gradient.shape));
        }

        return sum;
    }

    /// <summary>The sums of ln p(target) over the rows that the head reads, [rows, C], of each row of a batch.</summary>
    private static double[] LogProbabilities(TransformerNetwork model, Tensor rows, Tensor targets, IReadOnlyList<int> counts)
    {
        var (sums, head) = (new double[counts.Count], model.Head);
        var (row, left) = (0, counts[0]);
        foreach (var (start, count) in Chunks(head.Rows, model.ComputeType ?? model.DataType, rows))
        {
            using var chunkScope = NewDisposeScope();
            var logits = head.Logits(rows.narrow(0, start, count), model.ComputeType); // [count, vocabulary]
            foreach (var loss in CrossEntropy.OfRows(logits, targets.narrow(0, start, count)))
            {
                while (left == 0)
                    left = counts[++row];
                sums[row] -= loss;
                left--;
            }
        }

        return sums;
    }

    /// <summary>What the head's weight reads where a token is predicted, without gradients.</summary>
    private static Tensor PredictingRows(TransformerNetwork model, TrainingBatch batch)
    {
        using var encoded = batch.EncoderInput is { } source ? ((EncoderDecoderModel)model).Encode(source) : null;
        return PredictingRows(model, batch, batch.Input with { Encoded = encoded });
    }

    /// <summary>What the head's weight reads where a token is predicted: [predicted tokens, C].</summary>
    private static Tensor PredictingRows(TransformerNetwork model, TrainingBatch batch, ModelInput input)
    {
        if (model is MaskedLanguageModel masked)
            return masked.ComputeHiddenStates(input, batch.Positions!);
        var hidden = model.ComputeHiddenStates(input); // [B, T, C]
        var width = hidden.shape[2];
        return batch.Positions is null
            ? hidden.narrow(1, 0, hidden.shape[1] - 1).reshape(-1, width)
            : hidden.view(-1, width).index_select(0, batch.Positions);
    }

    /// <summary>How many rows of logits are held at once.</summary>
    /// <param name="vocabulary">The length of a row.</param>
    /// <param name="type">The type of products.</param>
    /// <param name="rows">How many rows there are.</param>
    internal static long LongestChunk(int vocabulary, ScalarType type, long rows)
    {
        var rowBytes = (long)vocabulary * NativeTensor.ElementSize(type);
        var most = Math.Max(64, ChunkBytes / rowBytes / 64 * 64);
        var count = (rows + most - 1) / most;
        // as many chunks, of equal length: they need the least memory
        return Math.Min(rows, count > 1 ? ((rows + count - 1) / count + 63) / 64 * 64 : most);
    }

    private static IEnumerable<(long Start, long Count)> Chunks(int vocabulary, ScalarType type, Tensor rows)
    {
        var length = LongestChunk(vocabulary, type, rows.shape[0]);
        for (long start = 0; start < rows.shape[0]; start += length)
            yield return (start, Math.Min(length, rows.shape[0] - start));
    }
}
