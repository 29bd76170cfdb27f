using System.Runtime.CompilerServices;

namespace MLTransfer.Torch.ChatTemplates.Values;

/// <summary>Keeps walks over values that hold each other from ending the process.</summary>
internal static class NestingGuard
{
    public static void Check()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw TooDeep();
    }

    public static ChatTemplateException TooDeep() => new("maximum recursion depth exceeded");
}
