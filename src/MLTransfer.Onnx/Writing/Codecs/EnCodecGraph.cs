using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Writing.Codecs;

/// <summary>An EnCodec without chunks as two graphs: from sounds to codes, and back.</summary>
/// <remarks>B: batch, C: channels of a sound, Q: codebooks, T: frames of codes, D: width of a vector, K: codewords.</remarks>
internal sealed class EnCodecGraph
{
    public const string Sounds = "input_values";
    public const string Codes = "audio_codes";
    public const string Scales = "audio_scales";
    public const string Decoded = "audio_values";

    private readonly GraphBuilder _graph = new();
    private readonly EnCodecModel _codec;
    private readonly EnCodecConfiguration _c;
    private readonly CodecLayerNodes _layers;
    private readonly Dictionary<string, Tensor> _tensors;

    private EnCodecGraph(EnCodecModel codec)
    {
        (_codec, _c) = (codec, codec.Sizes);
        _tensors = new(codec.CheckpointTensors());
        _layers = new CodecLayerNodes(_graph, _c, _tensors);
    }

    /// <summary><c>audio_codes</c> [1, B, Q, T] to <c>audio_values</c> [B, C, samples]; Q may be less than all. Where a codec normalizes,
    /// <c>audio_scales</c> [1, B, 1] too.</summary>
    public static GraphBuilder Decoder(EnCodecModel codec)
    {
        var graph = new EnCodecGraph(codec);
        graph.BuildDecoder();
        return graph._graph;
    }

    /// <summary><c>input_values</c> [B, C, samples] to <c>audio_codes</c> [1, B, Q, T] and, where a codec normalizes,
    /// <c>audio_scales</c> [1, B, 1].</summary>
    public static GraphBuilder Encoder(EnCodecModel codec, double? bandwidth)
    {
        var graph = new EnCodecGraph(codec);
        graph.BuildEncoder(codec.CodebooksOf(bandwidth));
        return graph._graph;
    }

    private void BuildDecoder()
    {
        var codes = _graph.Input(Codes, DataType.Int64, 1L, "batch_size", "codebooks", "chunk_length");
        var scales = _c.Normalizes ? _graph.Input(Scales, DataType.Float, 1L, "batch_size", 1L) : null;
        _graph.EnterScope("/quantizer");

        // All codebooks lie one under the other; a code of codebook q is the row q K + code.
        var words = _layers.Make("quantizer.embed", () => cat(
            [.. Enumerable.Range(0, _codec.CodebookCount).Select(q => _tensors[$"quantizer.layers.{q}.codebook.embed"])]));
        var offsets = _graph.Constant([.. Enumerable.Range(0, _codec.CodebookCount).Select(q => (long)q * _codec.CodebookSize)]);
        var used = _graph.Node("Slice", [
            offsets, _graph.Constant([0L]), _graph.Node("Shape", [codes], ("start", 2L), ("end", 3L)), _graph.Constant([0L])]); // [Q]
        var rows = _graph.Sum(_graph.Node("Squeeze", [codes, _graph.Constant([0L])]), _graph.Reshape(used, 1, -1, 1)); // [B, Q, T]
        var vectors = _graph.Node("ReduceSum", [
            _graph.Node("Gather", [words, rows], ("axis", 0L)), _graph.Constant([1L])], ("keepdims", 0L)); // [B, T, D]
        var x = _graph.Transpose(vectors, 0, 2, 1);

        var (place, least) = (0, 1);
        x = _layers.Convolve($"decoder.layers.{place++}", x, least);
        x = _layers.Remember($"decoder.layers.{place++}", x);
        foreach (var ratio in _c.Ratios)
        {
            place++;
            x = _layers.Transpose($"decoder.layers.{place++}", x, ratio);
            least *= ratio;
            x = Residuals("decoder", ref place, x, least);
        }

        x = _layers.Convolve($"decoder.layers.{place + 1}", _layers.Activate(x), least);
        if (scales is not null)
            x = _graph.Product(x, _graph.Reshape(scales, -1, 1, 1));
        _graph.Output(Decoded, x, DataType.Float, "batch_size", (long)_codec.Channels, "audio_length");
    }

    private void BuildEncoder(int count)
    {
        var sounds = _graph.Input(Sounds, DataType.Float, "batch_size", (long)_codec.Channels, "audio_length");
        var x = sounds;
        Value? scale = null;
        if (_c.Normalizes)
        {
            _graph.EnterScope("/normalize");
            var mono = _graph.Mean(x, 1);
            var energy = _graph.Mean(_graph.Product(mono, mono), 2);
            scale = _graph.Sum(_graph.Node("Sqrt", [energy]), _graph.Constant(1e-8, DataType.Float)); // [B, 1, 1]
            x = _graph.Node("Div", [x, scale]);
        }

        var place = 0;
        x = _layers.Convolve($"encoder.layers.{place++}", x, least: 1);
        foreach (var ratio in _c.Ratios.Reverse())
        {
            x = Residuals("encoder", ref place, x, least: 1);
            place++;
            x = _layers.Convolve($"encoder.layers.{place++}", _layers.Activate(x), least: 1, stride: ratio);
        }

        x = _layers.Remember($"encoder.layers.{place++}", x);
        x = _layers.Convolve($"encoder.layers.{place + 1}", _layers.Activate(x), least: 1);

        _graph.EnterScope("/quantizer");
        var residual = _graph.Transpose(x, 0, 2, 1); // [B, T, D]
        var codes = new List<Value>();
        for (var q = 0; q < count; q++)
        {
            var name = $"quantizer.layers.{q}.codebook.embed";
            var products = _graph.MatrixProduct(residual, _layers.Make(name + ".doubled", () => _tensors[name].t() * 2)); // [B, T, K]
            var squares = _layers.Make(name + ".squares", () => _tensors[name].square().sum(1));
            var code = _graph.Node("ArgMin", [_graph.Node("Sub", [squares, products])], ("axis", -1L), ("keepdims", 0L)); // [B, T]
            codes.Add(_graph.Node("Unsqueeze", [code, _graph.Constant([1L])]));
            if (q == count - 1)
                break;
            var words = _layers.Make(name, () => _tensors[name]);
            residual = _graph.Node("Sub", [residual, _graph.Node("Gather", [words, code], ("axis", 0L))]);
        }

        _graph.Output(
            Codes, _graph.Node("Unsqueeze", [_graph.Concatenate(1, [.. codes]), _graph.Constant([0L])]), DataType.Int64, 1L, "batch_size",
            (long)count, "chunk_length");
        if (scale is not null)
            _graph.Output(Scales, _graph.Reshape(scale, 1, -1, 1), DataType.Float, 1L, "batch_size", 1L);
    }

    private Value Residuals(string part, ref int place, Value x, int least)
    {
        var dilation = 1;
        for (var unit = 0; unit < _c.ResidualUnits; unit++, dilation *= _c.DilationGrowth)
            x = _layers.Residual($"{part}.layers.{place++}", x, least, dilation);
        return x;
    }
}
