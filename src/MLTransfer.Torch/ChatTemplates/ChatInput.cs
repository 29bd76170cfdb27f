namespace MLTransfer.Torch.ChatTemplates;

/// <summary>What a chat template is rendered with. All values are JSON texts; the order of keys counts.</summary>
public sealed record ChatInput
{
    /// <summary>The messages: an array of objects with <c>role</c>, <c>content</c> and what else the template knows.</summary>
    public required string Messages { get; init; }

    /// <summary>The descriptions of tools that may be called, an array; none if there are none.</summary>
    public string? Tools { get; init; }

    /// <summary>Documents to answer from, an array; none if there are none.</summary>
    public string? Documents { get; init; }

    /// <summary>Whether the text ends with the beginning of an assistant's turn.</summary>
    public bool AddGenerationPrompt { get; init; }

    /// <summary>Whether the text ends within the last message, for the model to go on with it. Not together with
    /// <see cref="AddGenerationPrompt"/>.</summary>
    public bool ContinueFinalMessage { get; init; }

    /// <summary>Further variables by name, as JSON: special tokens such as <c>bos_token</c>, and the template's own switches.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    /// <summary>What <c>strftime_now</c> takes its local time from.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
