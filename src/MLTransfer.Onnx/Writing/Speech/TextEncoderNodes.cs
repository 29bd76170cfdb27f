using MLTransfer.Onnx.Graphs;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing.Speech;

/// <summary>The text encoder of a VITS.</summary>
internal sealed class TextEncoderNodes(SpeechNodes nodes)
{
    private readonly GraphBuilder _graph = nodes.Graph;

    /// <summary>[N, T] int64 to hidden states [N, width, T], and the means and log deviations of the prior, [N, latent width, T].</summary>
    /// <param name="ids">The characters.</param>
    /// <param name="mask">[N, 1, T]: 1 for characters, 0 for padding.</param>
    public (Value Hidden, Value Means, Value LogDeviations) Add(Value ids, Value mask)
    {
        var sizes = nodes.Sizes;
        _graph.EnterScope("/text_encoder");
        var columns = _graph.Transpose(mask, 0, 2, 1); // [N, T, 1]
        var embedded = _graph.Node("Gather", [nodes.Parameter("text_encoder.embed_tokens.weight"), ids], ("axis", 0L));
        var hidden = _graph.Product(_graph.Product(embedded, nodes.Number(Math.Sqrt(sizes.HiddenWidth))), columns);
        var isPadding = _graph.Node("Equal", [nodes.Unsqueeze(mask, 1), nodes.Number(0)]); // [N, 1, 1, T]
        var band = sizes.Window > 0 ? Band(ids) : null;
        for (var layer = 0; layer < sizes.Layers; layer++)
        {
            var name = $"text_encoder.encoder.layers.{layer}";
            _graph.EnterScope("/" + name.Replace('.', '/'));
            hidden = Layer(name, hidden, mask, isPadding, band);
        }

        _graph.EnterScope("/text_encoder");
        var states = _graph.Transpose(_graph.Product(hidden, columns), 0, 2, 1);
        var statistics = _graph.Product(nodes.Convolve("text_encoder.project", states), mask);
        var (means, logDeviations) = (
            nodes.Slice(statistics, 1, 0, sizes.LatentWidth), nodes.Slice(statistics, 1, sizes.LatentWidth, 2 * sizes.LatentWidth));
        return (states, means, logDeviations);
    }

    private Value Layer(string name, Value x, Value mask, Value isPadding, PositionBand? band)
    {
        var epsilon = nodes.Sizes.NormEpsilon;
        x = nodes.Normalize($"{name}.layer_norm", _graph.Sum(x, Attend($"{name}.attention", x, isPadding, band)), epsilon);
        var channels = _graph.Product(_graph.Transpose(x, 0, 2, 1), mask);
        var inner = ActivationNodes.Apply(
            _graph, nodes.Sizes.InnerActivation, nodes.Convolve($"{name}.feed_forward.conv_1", channels), DataType.Float);
        var fed = _graph.Product(nodes.Convolve($"{name}.feed_forward.conv_2", _graph.Product(inner, mask)), mask);
        return nodes.Normalize($"{name}.final_layer_norm", _graph.Sum(x, _graph.Transpose(fed, 0, 2, 1)), epsilon);
    }

    /// <summary>[N, T, width] to the same shape.</summary>
    private Value Attend(string name, Value x, Value isPadding, PositionBand? band)
    {
        long heads = nodes.Sizes.Heads, width = nodes.Sizes.HiddenWidth / nodes.Sizes.Heads;
        var query = Split(_graph.Product(nodes.Multiply($"{name}.q_proj", x), nodes.Number(Math.Pow(width, -0.5))));
        var keys = _graph.Transpose(_graph.Reshape(nodes.Multiply($"{name}.k_proj", x), 0, 0, heads, width), 0, 2, 3, 1);
        var scores = _graph.MatrixProduct(query, keys); // [N, heads, T, T]
        if (band is not null)
        {
            var table = nodes.Parameter($"{name}.emb_rel_k", keys => keys[0].t(), ".t"); // [head width, distances]
            var index = Expand(band.ByPosition, scores, band.Length);
            scores = _graph.Sum(scores, _graph.Product(
                nodes.GatherLast(_graph.MatrixProduct(query, table), index, 3), band.IsNear));
        }

        scores = _graph.Node("Where", [isPadding, nodes.Number(float.MinValue), scores]);
        var shares = _graph.Node("Softmax", [scores], ("axis", -1L));
        var context = _graph.MatrixProduct(shares, Split(nodes.Multiply($"{name}.v_proj", x)));
        if (band is not null)
        {
            var near = nodes.GatherLast(shares, Expand(band.ByDistance, scores, _graph.Constant([2 * nodes.Sizes.Window + 1])), 3);
            context = _graph.Sum(context, _graph.MatrixProduct(
                _graph.Product(near, band.IsThere), nodes.Parameter($"{name}.emb_rel_v", values => values[0], ".0")));
        }

        return nodes.Multiply($"{name}.out_proj", _graph.Reshape(_graph.Transpose(context, 0, 2, 1, 3), 0, 0, heads * width));

        Value Split(Value rows) => _graph.Transpose(_graph.Reshape(rows, 0, 0, heads, width), 0, 2, 1, 3);
    }

    /// <summary>An index of [T, last] for each row and head of scores [N, heads, T, T].</summary>
    private Value Expand(Value index, Value scores, Value last) => _graph.Node("Expand", [
        index, _graph.Concatenate(0, _graph.Node("Shape", [scores], ("start", 0L), ("end", 3L)), last)]);

    /// <summary>Which pairs of positions are near each other, and where they lie.</summary>
    private PositionBand Band(Value ids)
    {
        long window = nodes.Sizes.Window;
        var length = _graph.Size(ids, 1);
        var positions = nodes.Range(length);
        var distance = nodes.Difference(nodes.Unsqueeze(positions, 0), nodes.Unsqueeze(positions, 1)); // [T, T]
        var byPosition = _graph.Node("Clip", [
            _graph.Sum(distance, _graph.Constant([window])), _graph.Constant([0], isScalar: true),
            _graph.Constant([2 * window], isScalar: true)]);
        var isNear = _graph.Cast(
            _graph.Node("LessOrEqual", [_graph.Node("Abs", [distance]), _graph.Constant([window], isScalar: true)]), DataType.Float);

        long[] offsets = [.. Enumerable.Range(0, (int)(2 * window + 1)).Select(place => place - window)];
        var place = _graph.Sum(nodes.Unsqueeze(positions, 1), _graph.Constant(offsets)); // [T, distances]
        var byDistance = _graph.Node("Clip", [
            place, _graph.Constant([0], isScalar: true), nodes.Difference(length, _graph.Constant([1], isScalar: true))]);
        var isThere = _graph.Cast(_graph.Node("Equal", [place, byDistance]), DataType.Float);
        return new PositionBand(byPosition, isNear, byDistance, isThere, nodes.Unsqueeze(length, 0));
    }

    /// <param name="ByPosition">The distance, from 0, of the row's position to the column's: [T, T] int64.</param>
    /// <param name="IsNear">1 where that is within the window.</param>
    /// <param name="ByDistance">The position at a distance from the row's: [T, distances] int64.</param>
    /// <param name="IsThere">1 where there is one.</param>
    /// <param name="Length">[1]: T.</param>
    private sealed record PositionBand(Value ByPosition, Value IsNear, Value ByDistance, Value IsThere, Value Length);
}
