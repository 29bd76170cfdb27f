using MLTransfer.Experiments;

namespace MLTransfer.Tests.Experiments;

/// <summary>A trial that is a function of its values.</summary>
internal sealed class FunctionRunner(Func<TrialSettings, CancellationToken, TrialResult> run) : ITrialRunner
{
    public FunctionRunner(Func<TrialSettings, double> loss)
        : this((settings, _) => new TrialResult { TrialSettings = settings, Loss = loss(settings) })
    {
    }

    public bool IsDisposed { get; private set; }

    public Task<TrialResult> RunAsync(TrialSettings settings, CancellationToken ct) => Task.FromResult(run(settings, ct));

    public void Dispose() => IsDisposed = true;
}
