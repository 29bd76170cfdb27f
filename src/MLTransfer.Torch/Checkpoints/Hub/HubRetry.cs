using Polly;
using Polly.Retry;

namespace MLTransfer.Torch.Checkpoints.Hub;

/// <summary>
/// When a request is sent again: failures that may pass, after growing pauses with jitter, or after the pause that the server asks for.
/// </summary>
internal static class HubRetry
{
    private const int MostRetries = 4;

    public static ResiliencePipeline Create(HubOptions options) =>
        new ResiliencePipelineBuilder()
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<HubException>(e => e.IsTransient),
                MaxRetryAttempts = MostRetries,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = options.RetryDelay,
                DelayGenerator = arguments => ValueTask.FromResult((arguments.Outcome.Exception as HubException)?.RetryAfter),
            })
            .Build();
}
