using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>Logarithms of durations by regression.</summary>
internal sealed class DurationPredictor : NamedModule
{
    private readonly double _dropoutProbability;
    private readonly DropoutSource _dropout;

    public DurationPredictor(WeightScope weights, VitsConfiguration c, DropoutSource dropout)
        : base(nameof(DurationPredictor))
    {
        (_dropoutProbability, _dropout) = (c.DurationDropout, dropout);
        First = new TimeConvolution(weights.Scope("conv_1"), c.HiddenWidth, c.DurationWidth, c.DurationKernel);
        FirstNorm = new Normalization(weights.Scope("norm_1"), NormKind.Layer, c.DurationWidth, c.NormEpsilon);
        Second = new TimeConvolution(weights.Scope("conv_2"), c.DurationWidth, c.DurationWidth, c.DurationKernel);
        SecondNorm = new Normalization(weights.Scope("norm_2"), NormKind.Layer, c.DurationWidth, c.NormEpsilon);
        Project = new TimeConvolution(weights.Scope("proj"), c.DurationWidth, 1, kernel: 1);
        register_module("conv_1", First);
        register_module("norm_1", FirstNorm);
        register_module("conv_2", Second);
        register_module("norm_2", SecondNorm);
        register_module("proj", Project);
        if (c.SpeakerWidth > 0)
        {
            Condition = new TimeConvolution(weights.Scope("cond"), c.SpeakerWidth, c.HiddenWidth, kernel: 1);
            register_module("cond", Condition);
        }
    }

    public TimeConvolution First { get; }

    public Normalization FirstNorm { get; }

    public TimeConvolution Second { get; }

    public Normalization SecondNorm { get; }

    public TimeConvolution Project { get; }

    public TimeConvolution? Condition { get; }

    /// <summary>[N, width, T] to [N, 1, T]. No gradient reaches what it reads.</summary>
    /// <param name="hidden">The text encoder's hidden states.</param>
    /// <param name="mask">[N, 1, T]: 1 for characters, 0 for padding.</param>
    /// <param name="speaker">[N, speaker width, 1]; null for none.</param>
    public Tensor Forward(Tensor hidden, Tensor mask, Tensor? speaker)
    {
        using var scope = NewDisposeScope();
        var x = hidden.detach();
        if (speaker is not null && Condition is not null)
            x += Condition.Forward(speaker.detach());
        x = Layer(First, FirstNorm, x);
        x = Layer(Second, SecondNorm, x);
        return (Project.Forward(x * mask) * mask).MoveToOuterDisposeScope();

        Tensor Layer(TimeConvolution convolution, Normalization norm, Tensor input)
        {
            var activated = convolution.Forward(input * mask).relu();
            return _dropout.Apply(norm.call(activated.transpose(1, 2)).transpose(1, 2), _dropoutProbability, training);
        }
    }
}
