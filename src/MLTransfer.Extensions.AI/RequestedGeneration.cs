using System.Globalization;
using Microsoft.Extensions.AI;
using MLTransfer.Torch.Generation;

namespace MLTransfer.Extensions.AI;

/// <summary>Options of a chat request as options of generation.</summary>
internal static class RequestedGeneration
{
    /// <param name="options">The request's; null for none.</param>
    /// <param name="usual">What holds where the request does not say.</param>
    /// <param name="client">Whose request it is.</param>
    /// <exception cref="NotSupportedException">An option would change the answer and cannot be obeyed; the message names it.</exception>
    public static GenerationOptions Of(ChatOptions? options, GenerationOptions usual, IChatClient client)
    {
        if (options is null)
            return usual with { SequencesPerPrompt = 1 };
        Check(options);
        usual = Refused.Raw(options.RawRepresentationFactory?.Invoke(client), usual) with { SequencesPerPrompt = 1 };
        var most = options.MaxOutputTokens ?? usual.MaximumNewTokens;
        return WithSampling(options, usual) with
        {
            MaximumNewTokens = most,
            MinimumNewTokens = Math.Min(usual.MinimumNewTokens, Math.Max(0, most)),
            StopStrings = options.StopSequences is { Count: > 0 } stops ? [.. usual.StopStrings, .. stops] : usual.StopStrings,
            Seed = options.Seed ?? usual.Seed,
        };
    }

    /// <summary>A temperature of 0 takes the most probable token, what else says how to sample asks for sampling.</summary>
    private static GenerationOptions WithSampling(ChatOptions options, GenerationOptions usual)
    {
        if (options.Temperature == 0)
            return usual with { Sample = false };
        if ((options.Temperature, options.TopP, options.TopK) is (null, null, null))
            return usual;
        return usual with
        {
            Sample = true,
            BeamCount = 1, // beams are not sampled
            Temperature = ToDouble(options.Temperature) ?? usual.Temperature,
            TopP = ToDouble(options.TopP) ?? usual.TopP,
            TopK = options.TopK ?? usual.TopK,
        };
    }

    /// <summary>The number that was written: 0.7f is 0.7, not the nearest double of the nearest float.</summary>
    private static double? ToDouble(float? value) => value is { } number
        ? double.Parse(number.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) : null;

    private static void Check(ChatOptions options)
    {
        const string NoState = "the client keeps no conversations. Give all messages with each request.";
        Refused.If(options.ConversationId is not null, nameof(options.ConversationId), NoState);
        Refused.If(options.ContinuationToken is not null, nameof(options.ContinuationToken), NoState);
        const string OtherPenalty = $"{nameof(GenerationOptions)}.{nameof(GenerationOptions.RepetitionPenalty)} is the penalty that "
            + $"there is; give it with the client, or by {nameof(ChatOptions.RawRepresentationFactory)}.";
        Refused.If(options.FrequencyPenalty is not (null or 0), nameof(options.FrequencyPenalty), OtherPenalty);
        Refused.If(options.PresencePenalty is not (null or 0), nameof(options.PresencePenalty), OtherPenalty);
        Refused.If(
            options.ResponseFormat is not (null or ChatResponseFormatText), nameof(options.ResponseFormat),
            "nothing binds the model's words to a form. Ask for it in a message.");
        Refused.If(
            options.Reasoning is { Effort: not null } or { Output: not null }, nameof(options.Reasoning),
            "how a model thinks is a variable of its chat template. Give it with the client, as ChatTemplateOptions.Variables.");
    }
}
