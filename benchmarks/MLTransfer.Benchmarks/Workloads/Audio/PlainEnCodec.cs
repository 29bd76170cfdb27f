using MLTransfer.Torch.Networks.Codecs.EnCodec;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Benchmarks.Workloads.Audio;

/// <summary>
/// A codec that is not causal and has no convolutions in its shortcuts, of TorchSharp's own operators and modules, with the weights of
/// another; weight normalization is multiplied out once.
/// </summary>
internal sealed class PlainEnCodec
{
    private static readonly int[] s_ratios = [8, 5, 4, 4];

    private readonly Dictionary<string, Tensor> _weights;
    private readonly TorchSharp.Modules.LSTM _encoderMemory;
    private readonly TorchSharp.Modules.LSTM _decoderMemory;
    private readonly int _codebooks;

    public PlainEnCodec(EnCodecModel source)
    {
        const string Length = ".parametrizations.weight.original0";
        using var gradients = no_grad();
        var tensors = source.CheckpointTensors().ToDictionary(t => t.Key, t => t.Value.detach().clone());
        _weights = tensors.ToDictionary(t => t.Key, t => t.Value);
        foreach (var name in tensors.Keys.Where(name => name.EndsWith(Length, StringComparison.Ordinal)))
        {
            var direction = tensors[name.Replace("original0", "original1", StringComparison.Ordinal)];
            _weights[name.Replace(Length, ".weight", StringComparison.Ordinal)] =
                direction * (tensors[name] / direction.square().sum([1L, 2L], keepdim: true).sqrt());
        }

        _codebooks = source.CodebookCount;
        _encoderMemory = Memory("encoder.layers.13.lstm");
        _decoderMemory = Memory("decoder.layers.1.lstm");
    }

    public Tensor Encode(Tensor sound)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var x = Convolve("encoder.layers.0", sound);
        var place = 1;
        foreach (var ratio in s_ratios.Reverse())
        {
            x = Residual($"encoder.layers.{place}", x);
            x = Convolve($"encoder.layers.{place + 2}", F.elu(x, 1), ratio);
            place += 3;
        }

        x = Remember(_encoderMemory, x);
        var residual = Convolve("encoder.layers.15", F.elu(x, 1))[0].t();
        var codes = new List<Tensor>();
        for (var codebook = 0; codebook < _codebooks; codebook++)
        {
            var words = _weights[$"quantizer.layers.{codebook}.codebook.embed"];
            codes.Add(cdist(residual, words).argmin(1));
            residual = residual - words[codes[^1]];
        }

        return stack(codes).MoveToOuterDisposeScope();
    }

    /// <param name="codes">[1, codebooks, frames].</param>
    public Tensor Decode(Tensor codes)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var vectors = _weights["quantizer.layers.0.codebook.embed"][codes.select(1, 0)];
        for (var codebook = 1; codebook < _codebooks; codebook++)
            vectors = vectors + _weights[$"quantizer.layers.{codebook}.codebook.embed"][codes.select(1, codebook)];
        var x = Remember(_decoderMemory, Convolve("decoder.layers.0", vectors.transpose(1, 2)));
        var place = 3;
        foreach (var ratio in s_ratios)
        {
            var length = x.shape[2] * ratio;
            var name = $"decoder.layers.{place}.conv";
            x = F.conv_transpose1d(F.elu(x, 1), _weights[name + ".weight"], _weights[name + ".bias"], stride: ratio)
                .narrow(2, ratio - ratio / 2, length);
            x = Residual($"decoder.layers.{place + 1}", x);
            place += 3;
        }

        return Convolve("decoder.layers.15", F.elu(x, 1)).MoveToOuterDisposeScope();
    }

    private Tensor Residual(string name, Tensor x) =>
        x + Convolve(name + ".block.3", F.elu(Convolve(name + ".block.1", F.elu(x, 1)), 1));

    private Tensor Convolve(string name, Tensor x, int stride = 1)
    {
        var weight = _weights[name + ".conv.weight"];
        var total = (int)weight.shape[2] - stride;
        var filling = (int)((stride - x.shape[2] % stride) % stride);
        var padded = F.pad(x, (total - total / 2, total / 2 + filling), PaddingModes.Reflect);
        return F.conv1d(padded, weight, _weights[name + ".conv.bias"], stride: stride);
    }

    private static Tensor Remember(TorchSharp.Modules.LSTM memory, Tensor x)
    {
        var steps = x.permute(2, 0, 1);
        return (memory.call(steps).Item1 + steps).permute(1, 2, 0);
    }

    private TorchSharp.Modules.LSTM Memory(string name)
    {
        var width = _weights[name + ".weight_ih_l0"].shape[1];
        var memory = nn.LSTM(width, width, numLayers: 2);
        foreach (var (parameterName, parameter) in memory.named_parameters())
            parameter.copy_(_weights[$"{name}.{parameterName}"]);
        memory.eval();
        return memory;
    }
}
