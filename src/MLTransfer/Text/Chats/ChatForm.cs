using System.Text;
using System.Text.Json.Serialization;
using MLTransfer.Torch.Chats;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Text.Chats;

/// <summary>How chats are read, rendered and learned; part of a saved model. See <see cref="ChatTemplateOptions"/>.</summary>
internal sealed record ChatForm
{
    private static readonly string[] s_ownVariables = ["messages", "tools", "documents", "add_generation_prompt"];

    /// <summary>What is as by default.</summary>
    public static ChatForm Usual { get; } = new();

    public string? Template { get; init; }

    /// <summary>Name to JSON.</summary>
    public IReadOnlyDictionary<string, string>? Variables { get; init; }

    /// <summary>The column of tools, or null.</summary>
    public string? Tools { get; init; }

    public AssistantLoss Loss { get; init; }

    public bool AddGenerationPrompt { get; init; } = true;

    public bool? ContinueFinalMessage { get; init; }

    /// <summary>The variables that go before the model's special tokens.</summary>
    [JsonIgnore]
    public IReadOnlyDictionary<string, string> GivenVariables => Variables ?? new Dictionary<string, string>();

    /// <exception cref="ArgumentException">A value is not usable.</exception>
    public void Check()
    {
        OptionCheck.Defined(nameof(Loss), Loss);
        foreach (var (name, json) in GivenVariables)
        {
            if (s_ownVariables.Contains(name))
                throw new ArgumentException($"{nameof(ChatTemplateOptions.Variables)} has '{name}', which the chat itself gives.");
            JsonContent.Parse(Encoding.UTF8.GetBytes(json), $"{nameof(ChatTemplateOptions.Variables)}: '{name}'");
        }
    }
}
