using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Networks.Vits;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing.Speech;

/// <summary>A VITS as one graph, from characters to samples.</summary>
internal static class VitsGraph
{
    /// <summary>The graph from <c>input_ids</c>, <c>attention_mask</c> and perhaps <c>speaker_id</c> to <c>waveform</c>.</summary>
    /// <param name="model">The network.</param>
    /// <param name="speed">The speaking rate.</param>
    /// <param name="noiseScale">Of latent variables.</param>
    /// <param name="durationNoiseScale">Of stochastic durations.</param>
    public static GraphBuilder Build(VitsModel model, double speed, double noiseScale, double durationNoiseScale)
    {
        const string batch = "text_batch_size", length = "sequence_length";
        var nodes = new SpeechNodes(model);
        var graph = nodes.Graph;
        var ids = graph.Input("input_ids", DataType.Int64, batch, length);
        var seen = graph.Input("attention_mask", DataType.Int64, batch, length);
        Value? speaker = null;
        if (model.SpeakerCount > 1)
        {
            var speakers = graph.Input("speaker_id", DataType.Int64, batch);
            speaker = nodes.Unsqueeze(graph.Node("Gather", [nodes.Parameter("embed_speaker.weight"), speakers], ("axis", 0L)), 2);
        }

        var mask = nodes.Unsqueeze(graph.Cast(seen, DataType.Float), 1); // [N, 1, T]
        var (hidden, means, logDeviations) = new TextEncoderNodes(nodes).Add(ids, mask);
        var logDurations = new DurationNodes(nodes).Add(hidden, mask, speaker, durationNoiseScale);
        graph.EnterScope("/alignment");
        var durations = graph.Node("Ceil", [
            graph.Product(graph.Product(graph.Node("Exp", [logDurations]), mask), nodes.Number(1 / speed))]); // [N, 1, T]
        var (index, frameMask) = Align(nodes, durations, ids);
        long width = model.Sizes.LatentWidth;
        var shape = graph.Concatenate(
            0, graph.Node("Shape", [ids], ("start", 0L), ("end", 1L)), graph.Constant([width]),
            graph.Node("Shape", [frameMask], ("start", 2L), ("end", 3L)));
        index = graph.Node("Expand", [index, shape]); // [N, latent width, frames]
        var prior = graph.Product(nodes.GatherLast(means, index, 2), frameMask);
        if (noiseScale != 0)
        {
            var deviations = graph.Node("Exp", [graph.Product(nodes.GatherLast(logDeviations, index, 2), frameMask)]);
            prior = graph.Sum(prior, graph.Product(
                graph.Product(graph.Node("RandomNormalLike", [prior]), deviations), nodes.Number(noiseScale)));
        }

        var latents = new LatentNodes(nodes);
        var spectrogram = latents.ReverseFlow(prior, frameMask, speaker);
        graph.Output("waveform", latents.Decode(spectrogram, speaker), DataType.Float, batch, "n_samples");
        graph.Output("spectrogram", spectrogram, DataType.Float, batch, width, "num_bins");
        return graph;
    }

    /// <summary>The character of each frame, [N, 1, frames] int64, and 1 for frames, 0 for padding, [N, 1, frames].</summary>
    private static (Value Index, Value Mask) Align(SpeechNodes nodes, Value durations, Value ids)
    {
        var graph = nodes.Graph;
        var ends = graph.Node("CumSum", [durations, graph.Constant([2], isScalar: true)]); // [N, 1, T]
        var counts = graph.Node("Max", [nodes.SumOver(durations, 2, keeps: true), nodes.Number(1)]); // [N, 1, 1]
        var most = graph.Cast(graph.Node("ReduceMax", [counts], ("keepdims", 0L)), DataType.Int64);
        var frames = graph.Cast(nodes.Range(most), DataType.Float); // [frames]
        var isBehind = graph.Cast(
            graph.Node("GreaterOrEqual", [nodes.Unsqueeze(frames, 1), ends]), DataType.Int64); // [N, frames, T]
        var last = nodes.Difference(graph.Size(ids, 1), graph.Constant([1], isScalar: true));
        var index = graph.Node("Min", [nodes.SumOver(isBehind, 2), last]);
        var mask = graph.Cast(graph.Node("Less", [frames, counts]), DataType.Float);
        return (nodes.Unsqueeze(index, 1), mask);
    }
}
