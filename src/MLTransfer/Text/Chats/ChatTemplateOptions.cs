using System.Text.Json.Nodes;
using MLTransfer.Text.Chats;
using MLTransfer.Torch.Chats;

namespace MLTransfer;

/// <summary>How chats become a model's tokens, and which of them it learns.</summary>
public sealed class ChatTemplateOptions
{
    /// <summary>
    /// The name of one of the model's chat templates, or a template's own text (<c>chat_template</c> of <c>apply_chat_template</c>), which
    /// is saved with a tuned model. Null: <c>tool_use</c> where the model has it and tools are given, else its <c>default</c>.
    /// </summary>
    public string? Template;

    /// <summary>Switches that the template knows, by name, such as <c>enable_thinking</c>; null for none.</summary>
    public IReadOnlyDictionary<string, JsonNode?>? Variables;

    /// <summary>
    /// The text column of tools that a chat may call, a JSON array a row; null for none. A column of objects with <c>messages</c> and
    /// <c>tools</c> needs none.
    /// </summary>
    public string? ToolsColumnName;

    /// <summary>Which of the assistant's turns the loss is on.</summary>
    public AssistantLoss Loss = AssistantLoss.AllTurns;

    /// <summary>
    /// Whether generation begins a new turn of the assistant (<c>add_generation_prompt</c>), where it does not continue the last message.
    /// </summary>
    public bool AddGenerationPrompt = true;

    /// <summary>
    /// Whether generation goes on with the last message (<c>continue_final_message</c>); only what is new is given. Null: where it is the
    /// assistant's, as in transformers' pipeline.
    /// </summary>
    public bool? ContinueFinalMessage;

    /// <summary>The form that a model file keeps.</summary>
    /// <exception cref="ArgumentException">An option is not usable; the message names it.</exception>
    internal ChatForm ToForm()
    {
        OptionCheck.ColumnName(nameof(ToolsColumnName), ToolsColumnName);
        OptionCheck.Defined(nameof(Loss), Loss);
        var form = new ChatForm
        {
            Template = Template,
            Variables = Variables?.ToDictionary(variable => variable.Key, variable => variable.Value?.ToJsonString() ?? "null"),
            Tools = ToolsColumnName,
            Loss = Loss,
            AddGenerationPrompt = AddGenerationPrompt,
            ContinueFinalMessage = ContinueFinalMessage,
        };
        form.Check();
        return form;
    }
}
