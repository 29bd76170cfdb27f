using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Vits;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>
/// The copy of a network that is trained: its decoder's weights may be lengths and directions. The network itself follows it, as it is or
/// as its running mean, and can be spoken with and saved at any step.
/// </summary>
internal sealed class TrainedSpeech : IDisposable
{
    private readonly VitsModel _model;
    private readonly double _averageDecay;
    private readonly List<(Parameter Target, Func<Tensor> Source)> _links = [];

    /// <param name="model">The network, with what is frozen of it and its adapters.</param>
    /// <param name="options">How it is trained.</param>
    public TrainedSpeech(VitsModel model, SpeechTrainingOptions options)
    {
        (_model, _averageDecay) = (model, options.AverageDecay);
        var normalizes = options.NormalizeDecoder && model.Lora is null && model.TrainableParameters().Any(p => IsNormalizable(p.Name));
        Network = model.Copy(normalizes);
        if (model.Lora is not null)
            PeftAdapterFolder.Copy(model, Network);
        var own = Network.named_parameters().Concat(Network.AdapterParameters()).ToDictionary(p => p.name, p => p.parameter);
        foreach (var parameter in own.Values)
            parameter.requires_grad = false;
        foreach (var (name, target) in model.TrainableParameters())
        {
            if (own.TryGetValue(name, out var plain))
            {
                Parameters.Add((name, plain));
                _links.Add((target, () => plain.detach()));
                continue;
            }

            var prefix = name[..^ConvolutionWeight.Plain.Length];
            var (lengthName, directionName) = (prefix + ConvolutionWeight.Length, prefix + ConvolutionWeight.Direction);
            var (length, direction) = (own[lengthName], own[directionName]);
            Parameters.AddRange([(lengthName, length), (directionName, direction)]);
            _links.Add((target, () => ConvolutionWeight.Fold(length.detach(), direction.detach())));
        }
    }

    /// <summary>The copy.</summary>
    public VitsModel Network { get; }

    /// <summary>What of it is trained.</summary>
    public List<(string Name, Parameter Parameter)> Parameters { get; } = [];

    /// <summary>Brings the network to where the copy is, or closer to it.</summary>
    public void Publish()
    {
        using var gradients = no_grad();
        foreach (var (target, source) in _links)
        {
            using var scope = NewDisposeScope();
            if (_averageDecay == 0)
                target.copy_(source());
            else
                target.mul_(_averageDecay).add_(source(), alpha: 1 - _averageDecay);
        }

        _model.WriteTokenRows();
        _model.FreeCopies();
    }

    public void Dispose() => Network.Dispose();

    private static bool IsNormalizable(string name) => name.StartsWith("decoder.upsampler.", StringComparison.Ordinal)
        || name.StartsWith("decoder.resblocks.", StringComparison.Ordinal);
}
