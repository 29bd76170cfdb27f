using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer.Experiments;

/// <summary>Tells the log of the <see cref="MLContext"/> how an experiment goes on.</summary>
public sealed class MLContextMonitor : IMonitor
{
    private readonly IHost _host;

    /// <param name="context">Whose log.</param>
    public MLContextMonitor(MLContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _host = ((IHostEnvironment)context).Register(nameof(AutoMLExperiment));
    }

    /// <inheritdoc/>
    public void ReportRunningTrial(TrialSettings settings) => Info($"Trial {settings.TrialId} begins: {settings.Parameter}");

    /// <inheritdoc/>
    public void ReportCompletedTrial(TrialResult result) => Info(
        $"Trial {result.TrialSettings.TrialId}: {result.State}, loss {result.Loss:0.0000}, {result.DurationInMilliseconds / 1000:0.0} s");

    /// <inheritdoc/>
    public void ReportBestTrial(TrialResult result) =>
        Info($"Trial {result.TrialSettings.TrialId} is the best so far: loss {result.Loss:0.0000}, {result.TrialSettings.Parameter}");

    /// <inheritdoc/>
    public void ReportFailTrial(TrialSettings settings, Exception? exception = null) =>
        Info($"Trial {settings.TrialId} failed: {exception?.Message ?? "its loss is not finite."}");

    internal void Info(FormattableString message)
    {
        using var channel = _host.Start(nameof(AutoMLExperiment));
        channel.Info(message.ToString(CultureInfo.InvariantCulture));
    }
}
