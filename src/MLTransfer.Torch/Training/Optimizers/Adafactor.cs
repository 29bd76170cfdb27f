using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>
/// Adafactor (arXiv 1804.04235), as transformers has it: the running mean of a matrix's squared gradients is the product of the means of
/// its rows and of its columns, so that it takes next to no memory.
/// </summary>
internal sealed class Adafactor(IEnumerable<TrainedParameter> parameters, AdafactorOptions options) : Optimizer<Adafactor.Slot>(
    parameters.Select(p => new Slot(p.Name, p.Parameter, p.Decays, hasMean: options.Beta1 is not null)))
{
    protected override void Update(Slot slot, Tensor gradient, double rate, double gradientFactor)
    {
        using var scope = NewDisposeScope();
        var parameter = slot.Parameter;
        rate *= RelativeStep();
        if (options.ScaleParameter)
            rate *= Math.Max(options.ParameterEpsilon, RootMeanSquare(parameter));
        var update = slot.Divide(
            ParameterSlot.Scaled(gradient, gradientFactor), 1 - Math.Pow(StepCount, options.DecayRate), options.GradientEpsilon);
        update.mul_(rate / Math.Max(1, RootMeanSquare(update) / options.ClipThreshold));
        if (slot.Mean is { } mean)
            update = mean.mul_(options.Beta1!.Value).add_(update, alpha: 1 - options.Beta1.Value);
        if (KeptBy(slot, rate) is not 1.0 and var kept)
            parameter.mul_(kept);
        parameter.sub_(update.to(parameter.dtype));
        slot.RenewCopy();
    }

    /// <summary>What the learning rate is multiplied with.</summary>
    private double RelativeStep() => !options.RelativeStep ? 1
        : Math.Min(options.WarmupInitialization ? 1e-6 * StepCount : 1e-2, 1 / Math.Sqrt(StepCount));

    private static double RootMeanSquare(Tensor values) => Math.Sqrt(SumOfSquares.Of(values) / values.numel());

    internal sealed class Slot : ParameterSlot
    {
        private readonly Tensor? _rows; // means over the last axis
        private readonly Tensor? _columns; // means over the last axis but one
        private readonly Tensor? _squares; // of what has no two axes

        public Slot(string name, Parameter parameter, bool decays, bool hasMean)
            : base(name, parameter, decays)
        {
            Mean = hasMean ? AddState("exp_avg") : null;
            if (parameter.shape is [.. var first, var rows, var columns])
            {
                _rows = AddState("exp_avg_sq_row", [.. first, rows]);
                _columns = AddState("exp_avg_sq_col", [.. first, columns]);
            }
            else
            {
                _squares = AddState("exp_avg_sq");
            }
        }

        /// <summary>The running mean of updates; null for none.</summary>
        public Tensor? Mean { get; }

        /// <summary>Takes a gradient into the means of squares, and divides it by the root of what they are then.</summary>
        /// <param name="gradient">In float32.</param>
        /// <param name="kept">The share that the means keep.</param>
        /// <param name="epsilon">Added to the squares.</param>
        public Tensor Divide(Tensor gradient, double kept, double epsilon)
        {
            var squares = gradient.square().add_(epsilon);
            if (_rows is null || _columns is null)
                return _squares!.mul_(kept).add_(squares, alpha: 1 - kept).rsqrt().mul_(gradient);
            _rows.mul_(kept).add_(squares.mean([-1]), alpha: 1 - kept);
            _columns.mul_(kept).add_(squares.mean([-2]), alpha: 1 - kept);
            var ofRows = (_rows / _rows.mean([-1], keepdim: true)).rsqrt_().unsqueeze(-1);
            return squares.copy_(gradient).mul_(ofRows).mul_(_columns.rsqrt().unsqueeze(-2)); // in the memory of the squares
        }
    }
}
