using MLTransfer.Torch.ChatTemplates.Evaluation;
using MLTransfer.Torch.ChatTemplates.Syntax;
using MLTransfer.Torch.ChatTemplates.Values;

namespace MLTransfer.Torch.ChatTemplates;

/// <summary>
/// A chat template in Jinja, as Hugging Face's tokenizers have it: what turns messages into a model's text. It sees the values that it is
/// given and nothing else, and its depth, steps and sizes are bounded, so that a template from anywhere can be rendered. Thread-safe.
/// </summary>
/// <remarks>The language is that of Jinja 3.1 in the environment that transformers sets up.</remarks>
public sealed class ChatTemplate
{
    private readonly Block _template;

    private ChatTemplate(Block template) => _template = template;

    /// <summary>Reads a template.</summary>
    /// <exception cref="ChatTemplateException">It is not valid.</exception>
    public static ChatTemplate Parse(string template)
    {
        ArgumentNullException.ThrowIfNull(template);
        return new(TemplateParser.Parse(template));
    }

    /// <summary>Renders messages.</summary>
    /// <exception cref="ChatTemplateException">The template refuses the messages, or fails with them.</exception>
    /// <exception cref="InvalidDataException">A value is not valid JSON.</exception>
    public ChatRendering Render(ChatInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return Render(ReadMessages(input), input);
    }

    internal static ListValue ReadMessages(ChatInput input) =>
        JsonValues.Read(input.Messages, "The JSON of the messages") as ListValue
            ?? throw new InvalidDataException("The messages are not a JSON array.");

    /// <summary>Renders messages in place of those of the input.</summary>
    internal ChatRendering Render(ListValue messages, ChatInput input)
    {
        if (input.ContinueFinalMessage && input.AddGenerationPrompt)
            throw new ArgumentException("The last message is continued, or a new turn begun: not both.", nameof(input));
        var variables = new Dictionary<string, object?>
        {
            ["messages"] = input.ContinueFinalMessage ? FinalMessage.Mark(messages) : messages,
            ["tools"] = input.Tools is { } tools ? JsonValues.Read(tools, "The JSON of the tools") : null,
            ["documents"] = input.Documents is { } documents ? JsonValues.Read(documents, "The JSON of the documents") : null,
            ["add_generation_prompt"] = input.AddGenerationPrompt,
        };
        foreach (var (name, json) in input.Variables)
            variables[name] = JsonValues.Read(json, $"The JSON of the variable '{name}'");
        var rendering = Render(variables, input.Clock);
        return input.ContinueFinalMessage ? FinalMessage.Cut(rendering) : rendering;
    }

    internal ChatRendering Render(IReadOnlyDictionary<string, object?> variables, TimeProvider clock)
    {
        var functions = new Scope(null);
        Functions.AddTo(functions, clock);
        var scope = new Scope(functions);
        foreach (var (name, value) in variables)
            scope.Set(name, value);
        var renderer = new Renderer();
        try
        {
            renderer.Render(_template, scope);
        }
        catch (ChatTemplateException exception) when (exception.Line == 0)
        {
            throw exception.At(renderer.Line);
        }
        return new(renderer.Output.ToString(), renderer.Output.Generations, renderer.Output.LostGenerationLine);
    }
}
