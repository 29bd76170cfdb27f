using MLTransfer.Text.Chats;
using MLTransfer.Torch.Generation;

namespace MLTransfer.Text;

/// <summary>A transformer or a model that answers requests, each with options of its own.</summary>
internal interface ITextResponder
{
    /// <summary>What clients call it.</summary>
    string ModelName { get; }

    /// <summary>How texts are generated where a request does not say.</summary>
    GenerationOptions Generation { get; }

    /// <summary>How chats are rendered; null where the input column has none.</summary>
    ChatForm? Form { get; }

    /// <summary>The model, in the number format that it generates with; it stays the owner's.</summary>
    /// <exception cref="ObjectDisposedException">The owner is disposed.</exception>
    ChatGenerator Chats { get; }
}
