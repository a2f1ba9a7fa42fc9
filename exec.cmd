@rem For Windows: the npm scripts begin with "exec", so that npm's signals reach the program itself.
@%*
