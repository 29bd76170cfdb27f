using MLTransfer.Torch.Layers;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>
/// The distribution of durations as a flow from noise (arXiv 2106.06103, section 2.2.2), with a second flow that dequantizes durations in
/// training.
/// </summary>
internal sealed class StochasticDurationPredictor : NamedModule
{
    private readonly TimeConvolution _posteriorInput;
    private readonly DepthwiseConvolutions _posteriorConvolutions;
    private readonly TimeConvolution _posteriorProject;
    private readonly FlowStack _posteriorFlows;

    public StochasticDurationPredictor(WeightScope weights, VitsConfiguration c, DropoutSource dropout)
        : base(nameof(StochasticDurationPredictor))
    {
        var width = c.HiddenWidth;
        Input = Add("conv_pre", new TimeConvolution(weights.Scope("conv_pre"), width, width, kernel: 1));
        Project = Add("conv_proj", new TimeConvolution(weights.Scope("conv_proj"), width, width, kernel: 1));
        Convolutions = Add(
            "conv_dds", new DepthwiseConvolutions(weights.Scope("conv_dds"), c, c.DurationDropout, dropout));
        if (c.SpeakerWidth > 0)
            Condition = Add("cond", new TimeConvolution(weights.Scope("cond"), c.SpeakerWidth, width, kernel: 1));
        Flows = new FlowStack(this, "flows", weights, c, dropout);
        _posteriorInput = Add("post_conv_pre", new TimeConvolution(weights.Scope("post_conv_pre"), 1, width, kernel: 1));
        _posteriorProject = Add("post_conv_proj", new TimeConvolution(weights.Scope("post_conv_proj"), width, width, kernel: 1));
        _posteriorConvolutions = Add(
            "post_conv_dds", new DepthwiseConvolutions(weights.Scope("post_conv_dds"), c, c.DurationDropout, dropout));
        _posteriorFlows = new FlowStack(this, "post_flows", weights, c, dropout);

        T Add<T>(string name, T module)
            where T : nn.Module
        {
            register_module(name, module);
            return module;
        }
    }

    public TimeConvolution Input { get; }

    public DepthwiseConvolutions Convolutions { get; }

    public TimeConvolution Project { get; }

    public TimeConvolution? Condition { get; }

    public FlowStack Flows { get; }

    /// <summary>Draws logarithms of durations: [N, 1, T].</summary>
    /// <param name="hidden">The text encoder's hidden states, [N, width, T].</param>
    /// <param name="mask">[N, 1, T]: 1 for characters, 0 for padding.</param>
    /// <param name="speaker">[N, speaker width, 1]; null for none.</param>
    /// <param name="noise">[N, 2, T], already scaled.</param>
    public Tensor Sample(Tensor hidden, Tensor mask, Tensor? speaker, Tensor noise)
    {
        using var scope = NewDisposeScope();
        var condition = Read(hidden, mask, speaker);
        var latents = noise;
        foreach (var flow in Flows.Sampling)
            latents = flow.Forward(latents.flip(1), mask, condition, isReverse: true).Output;
        return Flows.Affine.Reverse(latents.flip(1), mask).narrow(1, 0, 1).MoveToOuterDisposeScope();
    }

    /// <summary>A bound of the negative log-likelihood of durations, by row: [N]. No gradient reaches what it reads.</summary>
    /// <param name="hidden">The text encoder's hidden states, [N, width, T].</param>
    /// <param name="mask">[N, 1, T]: 1 for characters, 0 for padding.</param>
    /// <param name="speaker">[N, speaker width, 1]; null for none.</param>
    /// <param name="durations">Frames of each character, [N, 1, T].</param>
    /// <param name="noise">Of the dequantization, [N, 2, T].</param>
    public Tensor NegativeLogLikelihood(Tensor hidden, Tensor mask, Tensor? speaker, Tensor durations, Tensor noise)
    {
        using var scope = NewDisposeScope();
        var logTau = Math.Log(2 * Math.PI);
        var condition = Read(hidden, mask, speaker);
        var read = _posteriorConvolutions.Forward(_posteriorInput.Forward(durations), mask);
        var e = noise * mask;
        var (z, logA) = _posteriorFlows.Forward(e, mask, condition + _posteriorProject.Forward(read) * mask);
        var (zu, zv) = (z.narrow(1, 0, 1), z.narrow(1, 1, 1));
        var u = zu.sigmoid() * mask;
        logA += ((F.logsigmoid(zu) + F.logsigmoid(-zu)) * mask).sum([1, 2]);
        var logQ = (-0.5 * (logTau + e.square()) * mask).sum([1, 2]) - logA;

        var y = ((durations - u) * mask).clamp_min(1e-5).log() * mask;
        var (prior, logB) = Flows.Forward(cat([y, zv], 1), mask, condition);
        var nll = (0.5 * (logTau + prior.square()) * mask).sum([1, 2]) - (logB - y.sum([1, 2]));
        return (nll + logQ).MoveToOuterDisposeScope();
    }

    /// <summary>What the flows are conditioned on: [N, width, T].</summary>
    private Tensor Read(Tensor hidden, Tensor mask, Tensor? speaker)
    {
        var x = Input.Forward(hidden.detach());
        if (speaker is not null && Condition is not null)
            x += Condition.Forward(speaker.detach());
        return Project.Forward(Convolutions.Forward(x, mask)) * mask;
    }
}
