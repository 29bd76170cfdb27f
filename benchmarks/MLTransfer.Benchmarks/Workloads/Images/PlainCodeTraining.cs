using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Workloads.Images;

/// <summary>A training loop as TorchSharp's examples write it, with TorchSharp's AdamW and clipping, in float32.</summary>
internal sealed class PlainCodeTraining : IDisposable
{
    private readonly PlainTextToImage _model;
    private readonly Tensor _text;
    private readonly Tensor _codes;
    private readonly Parameter[] _parameters;
    private readonly optim.Optimizer _optimizer;

    /// <param name="model">What is trained.</param>
    /// <param name="text">[batch, text length].</param>
    /// <param name="codes">[batch, codes].</param>
    public PlainCodeTraining(PlainTextToImage model, Tensor text, Tensor codes)
    {
        (_model, _text, _codes) = (model, text, codes);
        _parameters = [.. model.parameters().Where(parameter => parameter.requires_grad)];
        _optimizer = optim.AdamW(_parameters, lr: 5e-5, weight_decay: 0);
    }

    public void Step()
    {
        using var scope = NewDisposeScope();
        _optimizer.zero_grad();
        var loss = _model.Loss(_text, _codes);
        loss.backward();
        nn.utils.clip_grad_norm_(_parameters, 1);
        _optimizer.step();
        loss.item<float>();
    }

    public void Dispose() => _optimizer.Dispose();
}
