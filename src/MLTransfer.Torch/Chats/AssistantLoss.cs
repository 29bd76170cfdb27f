namespace MLTransfer.Torch.Chats;

/// <summary>Which of the assistant's turns a model learns.</summary>
public enum AssistantLoss
{
    /// <summary>All of them.</summary>
    AllTurns,

    /// <summary>The last one alone, which every template writes as the model shall write it: some write earlier turns otherwise.</summary>
    LastTurn,
}
